"""What the commands print: JSON, or lines that fit a terminal, with colors where these are wanted."""

from __future__ import annotations

import json
import os
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from log_aggregator_service.commands.screen import plain

_COLORS = {"FATAL": "1;31", "CRITICAL": "1;31", "ERROR": "31", "WARN": "33", "DEBUG": "2", "TRACE": "2"}
_SEVERITY = ("TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "ERROR", "CRITICAL", "FATAL")


def add_json(parser: ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print the answer of the service as JSON")


def print_json(document: Mapping[str, Any]) -> int:
    """Print an answer; 0."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=not _is_utf8()) + "\n")
    return 0


def print_lines(lines: Iterable[str]) -> int:
    """Print lines, cut to the width of a terminal; 0."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for line in lines:
        sys.stdout.write((_cut(line, width) if width else line) + "\n")
    return 0


def print_answer(args: Namespace, document: Mapping[str, Any], lines: Iterable[str], *, found: object = True) -> int:
    """Print an answer as JSON where `--json` asks for it, else as lines; 1 when nothing was `found`, else 0."""
    code = print_json(document) if args.json else print_lines(lines)
    return code if found else 1


def colored(text: str, level: str) -> str:
    """The text in the color of a level, on a terminal; `NO_COLOR` turns colors off."""
    code = _COLORS.get(level)
    if code is None or os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def level_of(row: Mapping[str, Any]) -> str:
    """The most severe level of a pattern, or the level of something else."""
    levels: dict[str, int] = row.get("levels") or {str(row.get("level") or ""): 1}
    return max(levels, key=lambda level: (_SEVERITY.index(level) if level in _SEVERITY else 2, level))


def pattern_line(row: Mapping[str, Any]) -> str:
    """A pattern on one line: id, count, level, last seen, source, text, and what people said."""
    level, source = level_of(row), max(row["sources"], key=lambda name: row["sources"][name], default="")
    triage = row.get("triage")
    said = f"[{triage['state']}{', ' + triage['owner'] if triage['owner'] else ''}] " if triage else ""
    level_text = colored(f"{plain(level)[:8]:<8}", level)
    return (
        f"{row['pattern_id']}  {row['count']:>9,}  {level_text}  {when(row['last_seen'])}  {plain(source)[:14]:<14} "
        f"{plain(said)}{plain(row['pattern'])}"
    )


def when(time: str | None) -> str:
    """A time of the service in the zone of this machine, to the second."""
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else "-"


def _cut(line: str, width: int) -> str:
    if "\x1b" in line:
        width += line.count("\x1b") * 5
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"

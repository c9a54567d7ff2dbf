"""Show the patterns of a file, one message a line, without a service: the stages of plugins.toml are run here.

Prints `pattern-id<TAB>pattern` for every line, in order, as known after the last line.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from log_aggregator.config.settings import load_settings
from log_aggregator.errors import LogAggregatorError
from log_aggregator.model.fields.text import clean, is_dirty
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.model.record import Record
from log_aggregator.plugins.configured import load_registry
from log_aggregator_service.commands.arguments import positive_int
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.offline import Fields, Final, Spans, explain, find_patterns
from log_aggregator_service.sending.source import refuse_compressed

SUMMARY = "show the patterns of a file, without a service"

EXAMPLES = """examples:
  log-aggregator patterns app.log --top
  log-aggregator patterns app.log --top 20
  log-aggregator patterns app.log --json | jq -r .pattern
  journalctl -o cat | log-aggregator patterns - | sort | uniq -c
  echo 'User 123 logged in' | log-aggregator patterns - --explain
"""

_CHUNK = 4 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("file", metavar="FILE|-", help="messages, one a line; - is standard input")
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, help="the pipeline (default: PLUGINS_FILE or plugins.toml)"
    )
    parser.add_argument("--lines", action="store_true", help="join no lines: each line is a message (the default)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--top",
        nargs="?",
        type=positive_int,
        const=50,
        metavar="N",
        help="a table of the N most frequent (default: 50)",
    )
    form.add_argument("--json", action="store_true", help="a JSON object for each line: pattern_id, pattern, level, …")
    form.add_argument("--explain", action="store_true", help="under each line which rule took which part of it")


def run(args: argparse.Namespace) -> int:
    """Read, run the stages, print."""
    # What is made here lives until the end: looking for garbage would find none.
    gc.disable()
    settings = load_settings(os.environ)
    registry = load_registry(settings, os.environ, args.plugins)
    try:
        with _opened(args.file) as source:
            if args.explain:
                output = _explained(explain(registry, settings, _batches(source)))
            elif args.json:
                fields: list[Fields] = []
                found, final = find_patterns(registry, settings, _batches(source), fields)
                output = _objects(found, final, fields)
            else:
                found, final = find_patterns(registry, settings, _batches(source))
                output = _table(found, final, args.top) if args.top else iter([_lines(found, final)])
            for text in output:
                sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError, LogAggregatorError) as error:
        text = f"{args.file}: {error.strerror}" if isinstance(error, OSError) else str(error)
        sys.stderr.write(f"log-aggregator patterns: {text}\n")
        return 1
    return 0


def _opened(name: str) -> BinaryIO:
    return sys.stdin.buffer if name == "-" else Path(name).open("rb")


def _batches(source: BinaryIO) -> Iterator[list[Record]]:
    """Lines as records, some megabytes together."""
    now = time.time_ns() // 1000
    rest = b""
    number = 0
    while chunk := source.read(_CHUNK):
        number += 1
        if number == 1:
            refuse_compressed(chunk)
        whole, newline, tail = chunk.rpartition(b"\n")
        if not newline:
            rest += chunk
            continue
        text = (rest + whole).decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        rest = tail
        yield _records(text, now)
    if rest:
        yield _records(rest.decode("utf-8", "backslashreplace"), now)


def _records(text: str, now: int) -> list[Record]:
    """A record for each line, without colors and control characters, as the service would take it."""
    metadata: dict[str, object] = {}
    if is_dirty(text):
        text = "\n".join([clean(line.replace("\r", " ")) for line in text.split("\n")])
    return [Record(line, "INFO", "-", now, metadata, False) for line in text.split("\n")]


def _lines(found: list[str | None], final: Final) -> str:
    rows = {text: f"{pattern_id}\t{pattern}\n" for text, (pattern_id, pattern) in final.items()}
    return "".join([rows[text] for text in found])


def _objects(found: list[str | None], final: Final, fields: list[Fields]) -> Iterator[str]:
    encode = msgspec.json.encode
    for text, (level, source, timestamp) in zip(found, fields, strict=True):
        pattern_id, pattern = final[text]
        row = {
            "pattern_id": pattern_id,
            "pattern": pattern,
            "level": level,
            "source": source,
            "timestamp": to_iso(timestamp),
        }
        yield encode(row).decode() + "\n"


def _table(found: list[str | None], final: Final, most: int) -> Iterator[str]:
    counts: Counter[tuple[str, str]] = Counter()
    for text, count in Counter(found).items():
        counts[final[text]] += count
    yield f"{'count':>10}  {'share':>6}  {'pattern id':<16}  pattern\n"
    for (pattern_id, pattern), count in counts.most_common(most):
        yield f"{count:>10,}  {count / len(found):>6.1%}  {pattern_id:<16}  {plain(pattern)}\n"
    yield f"{len(found):,} lines, {len(counts):,} patterns"
    yield f"; the {most} most frequent are shown\n" if len(counts) > most else "\n"


def _explained(explained: list[tuple[str | None, Spans]]) -> Iterator[str]:
    for message, spans in explained:
        yield f"{message if message is not None else '- (refused by a stage)'}\n"
        for (start, end), (rule, placeholder) in sorted(spans.items()):
            yield f"{' ' * start}{'^' * (end - start)} {rule}: {placeholder}\n"

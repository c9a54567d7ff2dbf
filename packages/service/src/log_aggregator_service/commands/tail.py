"""Follow logs as they come, on a service with the plugin `dashboard`. Press Ctrl-C to end."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from log_aggregator_service.asking.output import colored
from log_aggregator_service.asking.service import Asked, AskingError, asking
from log_aggregator_service.commands.arguments import positive
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "follow logs as they come"

EXAMPLES = """examples:
  log-aggregator tail
  log-aggregator tail --level ERROR --source payment
  log-aggregator tail timeout --json | jq .metadata
  log-aggregator tail --logs 20
"""

_SHORTEST, _LONGEST = 0.5, 10.0
"""Seconds until a lost connection is tried again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("words", nargs="*", metavar="WORD", help="only messages with this text, in any case")
    parser.add_argument("--level", help="only this level")
    parser.add_argument("--source", help="only this source")
    parser.add_argument("--logs", type=positive, metavar="N", help="end after so many")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line, with metadata and pattern id")
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Print logs until Ctrl-C, or until there were `--logs`. Once connected, a lost connection is made again."""

    def work(service: Asked) -> int:
        left = args.logs or float("inf")
        for log in _logs(service, args):
            sys.stdout.write(f"{json.dumps(log) if args.json else _line(log)}\n")
            sys.stdout.flush()
            left -= 1
            if left <= 0:
                break
        return 0

    try:
        return asking("tail", args, work)
    except KeyboardInterrupt:
        return 0


def _logs(service: Asked, args: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    """All logs that match. Raises `AskingError` where the first connection cannot be made."""
    wait, was_open = _SHORTEST, False
    while True:
        try:
            events = service.events("/dashboard/tail", level=args.level, source=args.source, q=" ".join(args.words))
            for event in events:
                wait, was_open = _SHORTEST, True
                yield from event["logs"] if event else ()
                if event and event["missed"]:
                    _tell(f"{event['missed']:,} left out: more came than can be shown")
        except AskingError as error:
            if not was_open:
                hint = "; the live tail needs the plugin dashboard" if str(error).startswith("404") else ""
                raise AskingError(f"{error}{hint}") from None
        _tell(f"{service.url}: not connected; trying again")
        time.sleep(wait)
        wait = min(_LONGEST, 2 * wait)


def _line(log: Mapping[str, Any]) -> str:
    """Time, level, source and message; further lines of a message are indented."""
    time_of_day = datetime.fromtimestamp(log["time"] / 1000).astimezone().strftime("%H:%M:%S.%f")[:-3]
    first, *rest = log["message"].splitlines() or [""]
    level = colored(f"{plain(log['level'])[:8]:<8}", log["level"])
    return "\n    ".join([f"{time_of_day}  {level}  {plain(log['source'])[:14]:<14} {plain(first)}", *map(plain, rest)])


def _tell(what: str) -> None:
    sys.stderr.write(f"log-aggregator tail: {what}\n")
    sys.stderr.flush()

"""Count logs and errors by the value of a metadata key or of a variable. The exit code is 1 when there are none."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from log_aggregator_service.asking.output import add_json, colored, print_answer
from log_aggregator_service.asking.service import Asked, asking
from log_aggregator_service.asking.times import time_argument
from log_aggregator_service.commands.arguments import positive_int
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "count logs and errors by value"

EXAMPLES = """examples:
  log-aggregator values region
  log-aggregator values host --since 6h --search 'source:payment'
  log-aggregator values ID --variable --json
"""

_NOTABLE = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("key", help="a metadata key, such as region")
    parser.add_argument("--variable", action="store_true", help="the key is a variable of patterns, such as ID")
    parser.add_argument(
        "--since", type=time_argument, default="-1h", metavar="TIME", help="1h, 14:00, mark:NAME, ISO (default: 1h)"
    )
    parser.add_argument("--until", type=time_argument, metavar="TIME", help="before this time")
    parser.add_argument("--search", metavar="SEARCH", help="only logs that a search finds")
    parser.add_argument("--limit", type=positive_int, default=20, metavar="N", help="values (default: 20)")
    add_json(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Print a value on each line, the most frequent first."""

    def work(service: Asked) -> int:
        found = service.get(
            "/values", key=args.key, kind="var" if args.variable else "meta", since=args.since, until=args.until,
            q=args.search, limit=args.limit,
        )  # fmt: skip
        return print_answer(args, found, _lines(found), found=found["values"])

    return asking("values", args, work)


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    for one in found["values"]:
        level = "ERROR" if one["error_share"] >= _NOTABLE else ""
        share = colored(f"{one['error_share']:>7.1%} errors", level)
        yield f"{plain(one['value'])[:40]:<40}  {one['logs']:>9,} logs  {share}  {one['patterns']:>5,} patterns"
    if not found["complete"]:
        yield "(some rows keep only a part of their values, so counts may be too low)"

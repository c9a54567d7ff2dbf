"""Find patterns by words, values in their samples, fields, or a whole log line. Times without a zone are local."""

from __future__ import annotations

import argparse
import sys

from log_aggregator.search import SYNTAX
from log_aggregator_service.asking.output import add_json, pattern_line, print_answer
from log_aggregator_service.asking.service import Asked, asking
from log_aggregator_service.asking.times import time_argument
from log_aggregator_service.commands.arguments import positive_int
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "find patterns"

EXAMPLES = f"""examples:
  log-aggregator search 'timeout level:error -retry'
  log-aggregator search 'meta.region:eu seen:<1h' --since 7d
  log-aggregator search 'Payment of 12 EUR for order 4711 refused'

A search: {SYNTAX}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("text", nargs="*", help="a search, or a log line")
    parser.add_argument(
        "--since", type=time_argument, default="-24h", metavar="TIME", help="1h, 14:00, mark:NAME, ISO (default: 24h)"
    )
    parser.add_argument("--until", type=time_argument, metavar="TIME", help="before this time")
    parser.add_argument("--triage", metavar="STATES", help="open, acknowledged, muted, resolved, returned; with commas")
    parser.add_argument("--order", choices=("count", "newest"), default="count", help="(default: count)")
    parser.add_argument("--limit", type=positive_int, metavar="N", help="patterns (default: 20; all of an export)")
    parser.add_argument(
        "--export", choices=("csv", "ndjson", "markdown"), help="write all patterns that are found, or --limit of them"
    )
    add_json(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Print what is found; 1 when nothing is."""

    def work(service: Asked) -> int:
        if args.export:
            found = service.text(
                "/patterns", q=" ".join(args.text), since=args.since, until=args.until, order=args.order,
                triage=args.triage, format=args.export, limit=args.limit,
            )  # fmt: skip
            # A terminal would obey control characters of a log; a file keeps them.
            sys.stdout.write("\n".join(map(plain, found.split("\n"))) if sys.stdout.isatty() else found)
            return 0
        limit = args.limit or 20
        page = service.get(
            "/patterns", q=" ".join(args.text), since=args.since, until=args.until, order=args.order, limit=limit,
            triage=args.triage,
        )  # fmt: skip
        return print_answer(args, page, map(pattern_line, page["patterns"]), found=page["patterns"])

    return asking("search", args, work)

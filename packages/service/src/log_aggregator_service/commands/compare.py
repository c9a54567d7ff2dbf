"""Show what changed between two spans of time. Chance is left out by a statistical test."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from log_aggregator_service.asking.output import add_json, colored, print_answer, when
from log_aggregator_service.asking.service import Asked, asking
from log_aggregator_service.asking.times import span_argument
from log_aggregator_service.commands.arguments import positive_int
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "show what changed between two times"

EXAMPLES = """examples:
  log-aggregator compare                                     the last hour with the one before
  log-aggregator compare mark:deploy-1.4                     since a mark, with as long before it
  log-aggregator compare 14:00..14:30 --before 13:00..13:30
  log-aggregator compare 1h --before 25h..24h --search level:error
"""

_TITLES = {
    "new": "new",
    "gone": "gone",
    "more": "more",
    "less": "less",
    "levels": "another level",
    "values": "another value",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "after", nargs="?", type=span_argument, default="-1h", help="A..B, or a start such as 1h (default: 1h)"
    )
    parser.add_argument("--before", type=span_argument, metavar="A..B", help="(default: as long, directly before)")
    parser.add_argument("--search", metavar="TEXT", help="only these patterns, see `log-aggregator search`")
    parser.add_argument("--limit", type=positive_int, default=20, metavar="N", help="of each kind (default: 20)")
    add_json(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Print what changed."""

    def work(service: Asked) -> int:
        found = service.get("/compare", after=args.after, before=args.before, q=args.search, limit=args.limit)
        return print_answer(args, found, _lines(found))

    return asking("compare", args, work)


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    for name in ("before", "after"):
        span = found[name]
        yield f"{name:<7}{when(span['since'])} to {when(span['until'])}: {span['logs']:,} logs"
    if not any(found["found"].values()):
        yield f"nothing changed beyond chance, of {found['compared']:,} patterns"
    for name, title in _TITLES.items():
        for change in found[name]:
            yield _line(title, change)
        if found["found"][name] > len(found[name]):
            yield f"       … and {found['found'][name] - len(found[name])} more: raise --limit"


def _line(title: str, change: Mapping[str, Any]) -> str:
    moved = f"{change['before']:,} → {change['after']:,}"
    if change["key"] is not None:
        shares = f"{change['share_before']:.0%} → {change['share_after']:.0%}"
        moved = f"{plain(change['key'])}={plain(change['value'])} {shares}"
    level = colored(f"{plain(change['level'])[:8]:<8}", change["level"])
    text = f"{plain(change['source'])[:14]:<14} {plain(change['pattern'])}"
    return f"{title:<14} {level} {moved:<24} {change['pattern_id']}  {text}"

"""List what was unusual: new, spiking, silent, or with many errors. The exit code is 1 when there is none."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from log_aggregator_service.asking.output import add_json, colored, print_answer, when
from log_aggregator_service.asking.service import Asked, asking
from log_aggregator_service.asking.times import time_argument
from log_aggregator_service.commands.arguments import positive_int
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "list what was unusual"

EXAMPLES = """examples:
  log-aggregator anomalies
  log-aggregator anomalies --state open --tier notify
  log-aggregator anomalies --since mark:deploy-1.4 --source shop --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--since", type=time_argument, default="-24h", metavar="TIME", help="24h, 14:00, mark:NAME, ISO (default: 24h)"
    )
    parser.add_argument("--state", choices=("open", "resolved"))
    parser.add_argument("--tier", choices=("notify", "recorded"))
    parser.add_argument("--source")
    parser.add_argument("--limit", type=positive_int, default=50, metavar="N", help="(default: 50)")
    add_json(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Print them, newest first."""

    def work(service: Asked) -> int:
        names = ("since", "state", "tier", "source", "limit")
        page = service.get("/anomalies", **{name: getattr(args, name) for name in names})
        return print_answer(args, page, _lines(page), found=page["anomalies"])

    return asking("anomalies", args, work)


def _lines(page: Mapping[str, Any]) -> Iterator[str]:
    for one in page["anomalies"]:
        ended = when(one["resolved"]) if one.get("resolved") else "open"
        level = one.get("level") or ""
        what = f"{plain(one.get('source') or '')[:14]:<14} {plain(one.get('pattern') or 'all logs')}"
        kind = colored(f"{plain(one['kind']):<12}", level)
        yield f"{when(one['started'])}  {ended:<19}  {one['tier']:<8}  {kind} {what}"
    if not page["anomalies"]:
        yield "nothing unusual"
    if learning := page.get("learning"):
        yield f"still learning what is usual, until {when(learning['until'])}; an alarm already:"
        yield from (f"  {plain(alarm)}" for alarm in learning["alarms"])

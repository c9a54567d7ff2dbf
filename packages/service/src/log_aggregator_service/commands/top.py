"""Watch a service in the terminal: rates, sinks, and the patterns that come most often.

Keys: `s` changes the order, `/` searches, `j` and `k` choose a pattern, Enter opens it, `q` ends.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from log_aggregator.config.client_tls import client_context
from log_aggregator_service.commands.arguments import positive
from log_aggregator_service.commands.browsing import ORDERS, Browsing
from log_aggregator_service.commands.screen import full_screen, keys, plain, show, size
from log_aggregator_service.commands.show import pattern_lines
from log_aggregator_service.commands.target import add_target

SUMMARY = "watch a service in the terminal"

EXAMPLES = """examples:
  log-aggregator top
  log-aggregator top --url http://pi:8004 --every 5
  log-aggregator top --search 'level:error' --order newest
  log-aggregator top --once
"""

_WITHIN = 3600
"""Seconds of which the patterns are counted."""

_PATTERNS = 100
_UNAUTHORIZED = 401


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_target(parser)
    parser.add_argument("--every", type=positive, default=2.0, metavar="S", help="seconds between looks (default: 2)")
    parser.add_argument("--order", choices=ORDERS, default=ORDERS[0], help="of patterns (default: count)")
    parser.add_argument("--search", default="", metavar="TEXT", help="only patterns that match, as `search` takes it")
    parser.add_argument("--once", action="store_true", help="print once and end; also without a terminal")


def run(args: argparse.Namespace) -> int:
    """Show until q is pressed; 1 when the service cannot be read at the first look."""
    view = View(args.url)
    browsing = Browsing(args.order, args.search, _pattern, view.opened)
    try:
        head, rows = view.look(args.order, args.search)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"log-aggregator top: {args.url}: {_problem(error)}\n")
        return 1
    if args.once or not (sys.stdin.isatty() and sys.stdout.isatty()):
        width = size()[0]
        sys.stdout.writelines(f"{line[:width]}\n" for line in [*head, *map(_pattern, rows)])
        return 0
    with full_screen():
        while True:
            show(list(browsing.lines(head, rows, size()[1] - 1)))
            if not browsing.press(keys(args.every), rows):
                return 0
            try:
                head, rows = view.look(browsing.order, browsing.search)
            except (OSError, ValueError) as error:
                head, rows = [f"{args.url}: {_problem(error)}; still trying, q to quit"], []


def _problem(error: OSError | ValueError) -> str:
    """What went wrong, as the service says it, or what to look at when nothing answers."""
    if isinstance(error, urllib.error.HTTPError):
        try:
            detail = json.load(error)["detail"]
        except (OSError, ValueError, KeyError, TypeError):
            detail = f"{error.reason}; is this a log aggregator?"
        return f"{error.code} {detail}{'; set LOG_AGGREGATOR_API_KEY' if error.code == _UNAUTHORIZED else ''}"
    if isinstance(error, OSError):
        reason = getattr(error, "reason", error)
        return f"{getattr(reason, 'strerror', None) or reason}; is the service running there?"
    return "the answer is not that of a log aggregator"


class View:
    """What one look after another sees: rates are the difference between two looks."""

    def __init__(self, url: str) -> None:
        self._url = (url if "://" in url else f"http://{url}").rstrip("/")
        self._before: tuple[float, dict[str, Any]] | None = None

    def opened(self, pattern_id: str) -> list[str]:
        """The lines of one pattern, or what went wrong."""
        try:
            return list(pattern_lines(self._get(f"/patterns/{pattern_id}")))
        except (OSError, ValueError) as error:
            return [_problem(error)]

    def look(self, order: str, search: str) -> tuple[list[str], list[dict[str, Any]]]:
        """Ask the service; lines above the patterns, and these. Raises `OSError` when it does not answer,
        `ValueError` when something else does."""
        stats = self._get("/stats")
        since = int(time.time()) - _WITHIN
        try:
            query = {"order": order, "limit": _PATTERNS, "since": since, **({"q": search} if search else {})}
            patterns = self._get(f"/patterns?{urlencode(query)}")["patterns"]
            missing = ""
        except urllib.error.HTTPError as error:
            patterns, missing = [], f"  no patterns: {_problem(error)}"
        now = time.monotonic()
        seconds, earlier = (now - self._before[0], self._before[1]) if self._before else (0.0, {})
        self._before = (now, stats["logs"])
        none = "  no patterns yet: send something with `log-aggregator demo`"
        head = [
            *_totals(self._url, stats, earlier, seconds),
            "",
            *_sinks(stats["sinks"]),
            "",
            f"{'count':>12}  {'level':<8} {'source':<14} pattern (last hour, by {order})",
            *([missing] if missing else []),
            *([] if patterns or missing else ["  no pattern matches" if search else none]),
        ]
        return head, patterns

    def _get(self, path: str) -> Any:
        request = urllib.request.Request(self._url + path)  # noqa: S310  an address that the user typed
        if api_key := os.environ.get("LOG_AGGREGATOR_API_KEY"):
            request.add_header("Authorization", f"Bearer {api_key}")
        with urllib.request.urlopen(request, timeout=10, context=client_context(os.environ)) as answer:  # noqa: S310  likewise
            found = json.load(answer)
        if not isinstance(found, dict) or not {"logs", "patterns", "pattern"} & found.keys():
            raise ValueError(path)
        return found


def _totals(url: str, stats: dict[str, Any], earlier: dict[str, Any], seconds: float) -> list[str]:
    logs = stats["logs"]
    journal, memory = stats["journal"]["bytes"] / 2**20, stats["memory"]["resident_bytes"] / 2**20
    rate = f"{(logs['accepted'] - earlier['accepted']) / seconds:,.0f}/s" if seconds else "…"
    levels = "   ".join(f"{plain(name)} {count:,}" for name, count in sorted(logs["by_level"].items(), key=_by_count))
    return [
        f"{url}   up {stats['uptime_seconds'] / 3600:.1f} h   memory {memory:.0f} MiB   journal {journal:.1f} MiB",
        f"{logs['accepted']:,} logs   {rate}   rejected {logs['rejected']:,}   queue {stats['queue']['records']:,}",
        levels,
    ]


def _by_count(item: tuple[str, int]) -> int:
    return -item[1]


def _sinks(sinks: dict[str, dict[str, Any]]) -> list[str]:
    lines = [f"{'sink':<14} {'state':<11} {'delivered':>10} {'behind':>7} {'errors':>7}  last error"]
    for name, sink in sinks.items():
        figures = f"{sink['delivered']:>10,} {sink['lag_flushes']:>7,} {sink['errors']:>7,}"
        lines.append(f"{name:<14} {sink['state']:<11} {figures}  {plain(sink['last_error'] or '')}")
    return lines if sinks else ["no sink is on: see `log-aggregator check`"]


def _pattern(row: Mapping[str, Any]) -> str:
    level = max(row["levels"].items(), key=lambda item: item[1])[0]
    source = max(row["sources"].items(), key=lambda item: item[1])[0]
    return f"{row['count']:>12,}  {plain(level)[:8]:<8} {plain(source)[:14]:<14} {plain(row['pattern'])}"

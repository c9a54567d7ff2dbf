"""List what takes logs in: where each receiver listens, what came, what was refused and why."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from log_aggregator_service.asking.output import add_json, print_answer
from log_aggregator_service.asking.service import Asked, asking
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "list what takes logs in, what came and what was refused"

EXAMPLES = """examples:
  log-aggregator receivers
  log-aggregator receivers --json
  LOG_AGGREGATOR_API_KEY=la.… log-aggregator receivers --url https://logs.example.org
"""

REFUSALS = {
    "rejected": "rejected",
    "refused": "rejected",
    "refused_requests": "requests refused",
    "empty": "without text",
    "incomplete": "incomplete",
    "broken": "connections broken off as unreadable",
    "broken_off": "broken off",
    "too_large": "too large",
    "wrong_keys": "wrong keys",
    "not_logs": "messages that were no logs",
    "dropped": "dropped",
}
"""Figures of receivers that count what was not taken."""

NOTHING_ON = [
    "",
    "No other receiver is on. To take in what agents and libraries already speak, add one to plugins.toml and",
    "restart the service, or send it SIGHUP:",
    "  [plugins.otlp]                # OpenTelemetry: POST /v1/logs",
    "  [plugins.loki]                # Grafana Alloy, Promtail: POST /loki/api/v1/push",
    '  [plugins.syslog]              # routers, rsyslog, Docker: udp = "0.0.0.0:5514", tcp = "0.0.0.0:5514"',
    "Each is a package: pip install log-aggregator-otlp. `log-aggregator plugins` lists what is installed.",
]


class Row(NamedTuple):
    """One receiver as it is printed."""

    name: str
    listens: list[str]
    accepted: int
    rest: list[str]
    reasons: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_json(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Print a block for each receiver."""

    def work(service: Asked) -> int:
        stats = service.get("/stats")
        rows = list(_rows(stats))
        return print_answer(args, {"receivers": [_document(row, stats) for row in rows]}, _lines(rows))

    return asking("receivers", args, work)


def _rows(stats: Mapping[str, Any]) -> Iterator[Row]:
    receivers = []
    for name, plugin in stats["plugins"].items():
        figures = plugin.get("figures") or {}
        intake = plugin.get("intake") or {"listens": [], "accepted": 0, "duplicates": 0}
        if intake["listens"] or figures.get("reads"):
            listens = [one for one in intake["listens"] if not one.endswith("/ack")]
            receivers.append(Row(name, listens + (figures.get("reads") or []), intake["accepted"], *_rest(plugin)))
    direct = stats["logs"]["accepted"] - sum(row.accepted for row in receivers)
    yield Row("http", ["POST /ingest", "POST /ingest/batch"], max(0, direct), [], [])
    yield from receivers


def _rest(plugin: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What was not counted, each with its number, and the latest reasons."""
    intake = plugin.get("intake") or {}
    counts: dict[str, int] = {}
    reasons: list[str] = []
    for figures in _figures(plugin.get("figures") or {}):
        for figure, words in REFUSALS.items():
            if isinstance(figures.get(figure), int) and figures[figure]:
                counts[words] = counts.get(words, 0) + figures[figure]
        reasons += figures.get("last_reasons") or []
    if "rejected" not in counts and (by_stages := intake.get("rejected", 0) + intake.get("refused", 0)):
        counts["rejected"] = by_stages
    if intake.get("duplicates"):
        counts = {"sent again and counted once": intake["duplicates"], **counts}
    if intake.get("overloaded"):
        counts["attempts while overloaded"] = intake["overloaded"]
    return [f"{number:,} {words}" for words, number in counts.items()], reasons


def _figures(figures: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The figures of a plugin, and those of its parts: GELF has its own for HTTP."""
    yield figures
    yield from (inner for inner in figures.values() if isinstance(inner, dict))


def _lines(rows: list[Row]) -> Iterator[str]:
    width = max(len(row.name) for row in rows)
    for row in rows:
        came = [f"{row.accepted:,} accepted"] if row.accepted else [] if row.rest else ["nothing came yet"]
        for number, listens in enumerate(row.listens):
            yield f"{plain(row.name) if not number else '':<{width}}  {plain(listens)}"
        yield f"{'':<{width}}    {', '.join(came + row.rest)}"
        yield from (f"{'':<{width}}    last: {plain(reason)}" for reason in dict.fromkeys(row.reasons))
    if len(rows) == 1:
        yield from NOTHING_ON
    elif not any(row.accepted or row.rest for row in rows):
        yield ""
        yield 'Nothing came yet. Try: echo "disk full" | log-aggregator send -'
        yield "If an agent was set up already: does its address name this host, and does a firewall let it through?"


def _document(row: Row, stats: Mapping[str, Any]) -> dict[str, Any]:
    plugin = stats["plugins"].get(row.name) or {}
    figures = {**(plugin.get("intake") or {}), **(plugin.get("figures") or {})}
    return {"name": row.name, **figures, "listens": row.listens, "accepted": row.accepted}

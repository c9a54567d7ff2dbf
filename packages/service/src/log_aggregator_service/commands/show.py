"""Show a pattern: totals, what people said of it, samples, metadata, variables."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from log_aggregator_service.asking.output import add_json, colored, level_of, print_answer, when
from log_aggregator_service.asking.service import Asked, asking
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "show a pattern"

EXAMPLES = """examples:
  log-aggregator show a3f09c1177de0b52
  log-aggregator show a3f09c1177de0b52 --json
"""

_SAMPLES, _VALUES = 5, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("id", metavar="ID", help="the id of a pattern, as `search` prints it")
    add_json(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Print the pattern."""

    def work(service: Asked) -> int:
        pattern = service.get(f"/patterns/{args.id}")
        return print_answer(args, pattern, pattern_lines(pattern))

    return asking("show", args, work)


def pattern_lines(pattern: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is known of a pattern, as GET /patterns/{id} answers it."""
    yield colored(plain(pattern["pattern"]), level_of(pattern))
    yield f"id       {pattern['pattern_id']}{''.join(f', once {one}' for one in pattern['aliases'][:3])}"
    yield f"logs     {pattern['count']:,} from {when(pattern['first_seen'])} to {when(pattern['last_seen'])}"
    yield f"levels   {_counts(pattern['levels'])}"
    yield f"sources  {_counts(pattern['sources'])}"
    if triage := pattern.get("triage"):
        said = [triage["state"], *(triage[name] for name in ("name", "owner", "note") if triage[name])]
        who = f"{plain(triage['changed_by'] or 'somebody')}, {when(triage['changed_at'])}"
        yield f"triage   {plain('; '.join(said))} ({who})"
    for kind in ("metadata", "variables"):
        for key, entry in sorted(pattern.get(kind, {}).items()):
            values = {str(one["value"]): one["count"] for one in entry.get("values", [])[:_VALUES]}
            yield f"{kind:<9}{plain(key)}: {_counts(values)}"
    for log in pattern.get("sample_logs", [])[:_SAMPLES]:
        yield f"{when(log['time'])}  {plain(log['source'])}  {plain(log['message'])}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{plain(name)} {count:,}" for name, count in list(counts.items())[:_VALUES])

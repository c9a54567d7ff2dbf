"""Acknowledge, mute or resolve a pattern, or give it a name, a note, an owner. Without an id: list all of this."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from log_aggregator_service.asking.output import add_json, print_answer, when
from log_aggregator_service.asking.service import Asked, asking
from log_aggregator_service.asking.times import ahead_argument
from log_aggregator_service.commands.arguments import positive
from log_aggregator_service.commands.mark import who
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "acknowledge, mute or resolve a pattern"

EXAMPLES = """examples:
  log-aggregator triage a3f09c1177de0b52 acknowledge --owner shop --note "see the ticket"
  log-aggregator triage a3f09c1177de0b52 mute --until 2h
  log-aggregator triage a3f09c1177de0b52 mute --times 3      until it comes three times as often
  log-aggregator triage a3f09c1177de0b52 resolve             its return is told
  log-aggregator triage a3f09c1177de0b52                     show what was said
  log-aggregator triage                                      list all
"""

_STATES = {"acknowledge": "acknowledged", "mute": "muted", "resolve": "resolved", "open": "open"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("id", nargs="?", metavar="ID", help="the id of a pattern, as `search` prints it")
    parser.add_argument("action", nargs="?", choices=_STATES, help="what becomes of it")
    parser.add_argument(
        "--until", type=ahead_argument, metavar="TIME", help="with mute: such as 2h (default: for ever)"
    )
    parser.add_argument("--times", type=positive, metavar="N", help="with mute: until it comes N times as often")
    for name in ("name", "owner", "note"):
        parser.add_argument(f"--{name}", metavar="TEXT")
    add_json(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Change, show or list."""

    def work(service: Asked) -> int:
        if args.id is None:
            page = service.get("/triage", limit=1000)
            return print_answer(args, page, map(_line, page["triage"]))
        path = f"/patterns/{args.id}/triage"
        body = {
            "state": _STATES.get(args.action), "mute_until": args.until, "mute_times": args.times, "name": args.name,
            "owner": args.owner, "note": args.note,
        }  # fmt: skip
        changes = any(value is not None for value in body.values())
        found = service.send("POST", path, body | {"by": who()}) if changes else service.get(path)
        return print_answer(args, found, _lines(found))

    return asking("triage", args, work)


def _line(triage: Mapping[str, Any]) -> str:
    said = "; ".join(plain(triage[name]) for name in ("name", "owner", "note") if triage[name])
    mute = [f"until {when(triage['muted_until'])}"] if triage["muted_until"] else []
    mute += [f"until {triage['mute_times']:g} times {triage['mute_rate']:g} an hour"] if triage["mute_times"] else []
    return f"{triage['pattern_id']}  {triage['state']:<12} {', '.join(mute)}  {said}".rstrip()


def _lines(triage: Mapping[str, Any]) -> Iterator[str]:
    yield _line(triage)
    for entry in triage["history"]:
        change = ", ".join(f"{name}: {value}" for name, value in entry["change"].items() if value is not None)
        yield f"  {when(entry['at'])}  {plain(entry['by'] or 'somebody')}  {plain(change)}"

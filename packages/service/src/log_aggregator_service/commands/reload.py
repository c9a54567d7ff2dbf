"""Let a running service read its configuration again, and say what became of it."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from log_aggregator_service.asking.output import add_json, print_answer
from log_aggregator_service.asking.service import Asked, asking
from log_aggregator_service.commands.arguments import positive
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "let the service read its configuration again"

EXAMPLES = """examples:
  log-aggregator reload
  log-aggregator check && log-aggregator reload --json

The exit code is 1 when the new configuration is wrong; then the old one goes on.
"""

_PAUSE = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--timeout", type=positive, default=150.0, metavar="S", help="seconds to wait for the outcome (default: 150)"
    )
    add_json(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Ask for a reload, and wait until the service counts it."""

    def work(service: Asked) -> int:
        before = service.send("POST", "/reload")["reloads"]
        deadline = time.monotonic() + args.timeout
        while (after := service.get("/stats")["reloads"]) and _total(after) <= _total(before):
            if time.monotonic() > deadline:
                sys.stderr.write(f"log-aggregator reload: {service.url}: not done within {args.timeout:g} s\n")
                return 1
            time.sleep(_PAUSE)
        failed = after["failed"] > before["failed"]
        document = {"reloaded": not failed, "error": after["last_error"] if failed else None}
        line = f"nothing is reloaded: {plain(after['last_error'] or '')}" if failed else "reloaded"
        return print_answer(args, document, [line], found=not failed)

    return asking("reload", args, work)


def _total(reloads: dict[str, Any]) -> int:
    return int(reloads["succeeded"]) + int(reloads["failed"])

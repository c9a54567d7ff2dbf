"""Send a test notification to every target of the plugin `trends`. The exit code is 1 when not all take it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from log_aggregator_service.asking.output import add_json, print_answer
from log_aggregator_service.asking.service import Asked, asking
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "send a test notification to every target"

EXAMPLES = """examples:
  log-aggregator notify-test
  log-aggregator notify-test --url https://logs.example.org --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_json(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the service to send them, and print what became of each."""

    def work(service: Asked) -> int:
        answer = service.send("POST", "/notify-test")
        targets = answer["targets"]
        lines = map(_line, targets) if targets else ["no targets: add [[plugins.trends.targets]] to plugins.toml"]
        return print_answer(args, answer, lines, found=targets and all(target["ok"] for target in targets))

    return asking("notify-test", args, work)


def _line(target: Mapping[str, Any]) -> str:
    return f"{plain(target['name']):<40} {'sent' if target['ok'] else 'failed: ' + plain(target['error'])}"

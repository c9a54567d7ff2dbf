"""Run the tests that stand in plugins.toml as [[tests]], and those of rule packs, and show what differs.

Every test starts without anything learned. A reload whose tests fail is not taken by a running service.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from log_aggregator.config.settings import load_settings
from log_aggregator.plugins.configured import read_pipeline
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.trial.asserting import Result, run_tests

SUMMARY = "run the tests of plugins.toml and of rule packs"

EXAMPLES = """examples:
  log-aggregator test
  log-aggregator test --plugins /etc/log-aggregator/plugins.toml

plugins.toml:
  [[tests]]
  message = "User 123 logged in"
  pattern = "User {ID} logged in"

  [[tests]]
  log = { message = "GET /health 200", level = "debug" }
  dropped = true
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, help="the pipeline (default: PLUGINS_FILE or plugins.toml)"
    )
    parser.add_argument(
        "--names", action="store_true", help="name the tests that fail and what differs, without values"
    )


def run(args: argparse.Namespace) -> int:
    """Run all; 1 when one fails."""
    settings = load_settings(os.environ)
    pipeline = read_pipeline(settings, args.plugins)
    count = failed = 0
    for result in run_tests(pipeline, settings):
        count += 1
        if not result.differences:
            continue
        failed += 1
        if args.names:
            _write([f"{result.where}: {', '.join(sorted({one.name for one in result.differences}))}"])
        else:
            _write(_shown(result))
    if not args.names:
        _write([f"{count} tests, {failed} failed" if count else f"no [[tests]] in {pipeline.name} or its plugins"])
    return 1 if failed else 0


def _shown(result: Result) -> Iterator[str]:
    yield f"{result.where}: {plain(result.outcome.text)}"
    for name, expected, found in result.differences:
        yield f"  - {name} = {plain(str(expected))}"
        yield f"  + {name} = {plain(str(found))}"


def _write(lines: Iterator[str] | list[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)

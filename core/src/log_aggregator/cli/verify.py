"""Read all that the service keeps on this machine, and say what is damaged. Changes nothing; the service may run.

The exit code is 0 when all is well. What is damaged is mended, or set aside with what is lost, by the next start.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import importlib_metadata

from log_aggregator.cli.databases import Database, databases, set_aside
from log_aggregator.config.settings import load_settings
from log_aggregator.journal.verifying import verify_journal
from log_aggregator.storekit.wal import frames_lost

GROUP = "log_aggregator.verifiers"
"""Entry points of plugins: `(connection) -> str | None`, what their database holds; `ValueError` says what is wrong."""

EXAMPLES = """examples:
  log-aggregator verify
  DATA_DIR=/var/lib/log-aggregator log-aggregator verify || mail -s 'damaged' root
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options."""


def run(args: argparse.Namespace) -> int:
    """Print a line for each file; errors of the set-up are raised as `ConfigError`."""
    settings = load_settings(os.environ)
    verifiers = [point.load() for point in importlib_metadata.entry_points(group=GROUP)]
    are_well = True
    for one in databases(settings):
        problems, holds = verified(one, verifiers)
        are_well = are_well and not problems
        print(f"{one.path}: {'; '.join(problems) or f'good{holds}'}")  # noqa: T201  the answer of the command
    for path in set_aside(settings):
        print(f"{path}: kept from earlier damage; delete it when nobody needs it")  # noqa: T201  likewise
    return 0 if are_well else 1


def verified(one: Database, verifiers: list[Callable[[sqlite3.Connection], str | None]]) -> tuple[list[str], str]:
    """What is wrong with a file, and what it holds."""
    try:
        if frames := frames_lost(one.path):
            # Opened now, SQLite would drop them.
            return [
                f"its write-ahead log is damaged, {frames} frames are behind the damage: the next start mends it"
            ], ""
        with closing(_reading(one.path)) as connection:
            problems = [line for (line,) in connection.execute("PRAGMA integrity_check(20)") if line != "ok"]
            told = verify_journal(connection) if one.is_journal else None
            for verifier in verifiers if not one.is_journal else ():
                told = told or verifier(connection)
    except (sqlite3.Error, OSError, ValueError) as error:
        return [str(error)], ""
    return problems, f": {told}" if told else ""


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10, isolation_level=None)

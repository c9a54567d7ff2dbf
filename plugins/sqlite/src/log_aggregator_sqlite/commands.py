"""The command `log-aggregator sqlite`: for a person who looks after the file."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

from log_aggregator.config.pipeline import read_plugins_file
from log_aggregator.config.settings import Settings, load_settings
from log_aggregator.errors import ConfigError
from log_aggregator.storekit import clean_aggregate, unpack_aggregate
from log_aggregator.storekit.sizes import report
from log_aggregator_sqlite.config import FILE_NAME
from log_aggregator_sqlite.damage import open_file
from log_aggregator_sqlite.database import migrate, transaction
from log_aggregator_sqlite.sizing import sizes_of
from log_aggregator_sqlite.writer import Writer

_EXAMPLES = """examples:
  log-aggregator sqlite progress             the last flush stored of each data directory
  log-aggregator sqlite adopt INSTANCE       go on with a data directory that was fenced
  log-aggregator sqlite quarantine           rows that the database refused
  log-aggregator sqlite retry                try them again, stop the service first
  log-aggregator sqlite size                 what takes room, and what a setting would save
"""

DB_ACTIONS = ("size",)
"""The actions of `log-aggregator db` that this command offers."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        "log-aggregator sqlite", epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, help=f"the database; default: {FILE_NAME} in DATA_DIR")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("progress", help="the last flush stored of each data directory")
    adopt = actions.add_parser("adopt", help="forget the progress of an instance: its next flush is taken as it comes")
    adopt.add_argument("instance")
    actions.add_parser("quarantine", help="list the rows that the database refused")
    actions.add_parser("retry", help="try them again; NUL and lone surrogates are replaced where needed")
    size = actions.add_parser("size", help="what takes room, and what a setting would save")
    size.add_argument("--top", type=int, default=10, metavar="N", help="sources and patterns to list (default: 10)")
    asked = parser.parse_args(argv)
    settings = load_settings(os.environ)
    path = asked.file or settings.data_dir / FILE_NAME
    if not path.is_file():
        sys.stderr.write(f"{path}: no such file; name it with --file, or set DATA_DIR\n")
        return 1
    try:
        opening, _ = open_file(path)
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"{path}: {error}\n")
        return 1
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    try:
        migrate(connection)
        return _act(connection, asked, settings)
    except sqlite3.Error as error:
        sys.stderr.write(f"{path}: {error}\n")
        return 1
    finally:
        connection.close()
        opening.close()


def _act(connection: sqlite3.Connection, asked: argparse.Namespace, settings: Settings) -> int:
    match asked.action:
        case "progress":
            return _progress(connection)
        case "size":
            _say("\n".join(report(sizes_of(connection, asked.top))))
            return 0
        case "adopt":
            return _adopt(connection, asked.instance)
        case "quarantine":
            return _quarantine(connection)
        case _:
            return _retry(connection, settings)


def _progress(connection: sqlite3.Connection) -> int:
    rows = connection.execute("SELECT instance, epoch, sequence, stored_at FROM flush_progress ORDER BY stored_at")
    for instance, epoch, sequence, stored_at in rows:
        _say(f"{instance}\t{epoch:x}-{sequence}\t{_moment(stored_at)}")
    return 0


def _adopt(connection: sqlite3.Connection, instance: str) -> int:
    forgotten = connection.execute("DELETE FROM flush_progress WHERE instance = ?", (instance,)).rowcount
    _say("forgotten: the next flush is taken as it comes" if forgotten else f"{instance}: no progress stored")
    return 0 if forgotten else 1


def _quarantine(connection: sqlite3.Connection) -> int:
    rows = connection.execute("SELECT id, set_aside_at, logs, reason, flush FROM log_quarantine ORDER BY id").fetchall()
    for row_id, moment, logs, reason, flush in rows:
        _say(f"{row_id}\t{_moment(moment)}\t{logs} logs\t{reason}\tflush {flush}")
    if not rows:
        _say("the quarantine is empty")
    return 0


def _retry(connection: sqlite3.Connection, settings: Settings) -> int:
    try:
        json_text = _is_json_text(settings)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    writer = Writer(0, settings.max_samples, settings.aggregation_bucket, json_text=json_text)
    stored = refused = 0
    for row_id, packed in connection.execute("SELECT id, packed FROM log_quarantine ORDER BY id").fetchall():
        aggregate = unpack_aggregate(packed)
        with transaction(connection):
            if writer.store_again(connection, aggregate) or writer.store_again(connection, clean_aggregate(aggregate)):
                connection.execute("DELETE FROM log_quarantine WHERE id = ?", (row_id,))
                stored += 1
            else:
                refused += 1
    _say(f"stored {stored} rows, still refused {refused}")
    return 1 if refused else 0


def _is_json_text(settings: Settings) -> bool:
    """Whether the pipeline of the service wants JSON as text. Raises `ConfigError` when it cannot be read."""
    file = settings.plugins_file
    entries = read_plugins_file(file) if file.exists() else []
    return any(entry.options.get("json_text") is True for entry in entries if entry.name == "sqlite")


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="seconds")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")

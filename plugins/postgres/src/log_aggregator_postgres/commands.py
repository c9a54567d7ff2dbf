"""The command `log-aggregator postgres`: for a person who looks after the database."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime

from log_aggregator.config.pipeline import read_plugins_file
from log_aggregator.config.settings import Settings, load_settings
from log_aggregator.errors import ConfigError, RetryableError
from log_aggregator.storekit import clean_aggregate, unpack_aggregate
from log_aggregator.storekit.sizes import report
from log_aggregator_postgres.config import PostgresConfig
from log_aggregator_postgres.faults import OUT_OF_REACH, REFUSALS, explain
from log_aggregator_postgres.migrations import migrate
from log_aggregator_postgres.pool import Pool
from log_aggregator_postgres.privileges import missing_privilege
from log_aggregator_postgres.sizing import sizes_of
from log_aggregator_postgres.writer import Writer

_EXAMPLES = """examples:
  log-aggregator postgres check              connect and say what is there
  log-aggregator postgres progress           the last flush stored of each data directory
  log-aggregator postgres adopt INSTANCE     go on with a data directory that was fenced
  log-aggregator postgres quarantine         rows that the database refused
  log-aggregator postgres retry              try them again
  log-aggregator postgres size               what takes room, and what a setting would save

The database is the one of [plugins.postgres] in plugins.toml and of the POSTGRES_ variables.
"""

DB_ACTIONS = ("size",)
"""The actions of `log-aggregator db` that this command offers."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        "log-aggregator postgres", epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("check", help="connect and say what is there")
    actions.add_parser("progress", help="the last flush stored of each data directory, and when it was heard last")
    adopt = actions.add_parser("adopt", help="forget the progress of an instance: its next flush is taken as it comes")
    adopt.add_argument("instance")
    actions.add_parser("quarantine", help="list the rows that the database refused")
    actions.add_parser("retry", help="try them again; NUL and lone surrogates are replaced where needed")
    size = actions.add_parser("size", help="what takes room, and what a setting would save")
    size.add_argument("--top", type=int, default=10, metavar="N", help="sources and patterns to list (default: 10)")
    asked = parser.parse_args(argv)
    try:
        settings = load_settings(os.environ)
        return asyncio.run(_run(_config(settings), settings, asked))
    except (*OUT_OF_REACH, RetryableError) as error:
        sys.stderr.write(f"PostgreSQL: {error if isinstance(error, RetryableError) else explain(error)}\n")
    except (ConfigError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
    return 1


def _config(settings: Settings) -> PostgresConfig:
    if not settings.plugins_file.exists():
        return PostgresConfig()
    entries = [entry for entry in read_plugins_file(settings.plugins_file) if entry.name == "postgres"]
    return PostgresConfig.model_validate(entries[0].options if entries else {})


async def _run(config: PostgresConfig, settings: Settings, asked: argparse.Namespace) -> int:
    pool = Pool(config.model_copy(update={"pool_min": 0}))
    actions: dict[str, Callable[[], Awaitable[int]]] = {
        "check": lambda: _check(pool, config.retention_days),
        "progress": lambda: _progress(pool),
        "adopt": lambda: _adopt(pool, asked.instance),
        "quarantine": lambda: _quarantine(pool),
        "size": lambda: _size(pool, asked.top),
        "retry": lambda: _retry(pool, Writer(pool, 0, settings.max_samples, settings.aggregation_bucket)),
    }
    try:
        if asked.action != "check":
            await migrate(pool)
        return await actions[asked.action]()
    finally:
        await pool.close()


async def _check(pool: Pool, retention_days: int) -> int:
    row = (await pool.fetch("SELECT version(), to_regclass('aggregated_logs') IS NOT NULL", []))[0]
    _say(row[0])
    _say(
        "aggregated_logs is there" if row[1] else "aggregated_logs is not there yet: the service makes it at its start"
    )
    _say(
        f"rows are deleted {retention_days} days after their last log"
        if retention_days
        else "no row is ever deleted: set RETENTION_DAYS; `log-aggregator db size` says what it would save"
    )
    missing = await missing_privilege(pool)
    if missing:
        sys.stderr.write(f"PostgreSQL: {missing}\n")
    return 1 if missing else 0


async def _progress(pool: Pool) -> int:
    rows = await pool.fetch(
        "SELECT instance, epoch, sequence, stored_at, heard_at, stopped_at FROM flush_progress ORDER BY stored_at", []
    )
    for instance, epoch, sequence, stored_at, heard_at, stopped_at in rows:
        told = ("stopped", stopped_at) if stopped_at else ("heard", heard_at or stored_at)
        _say(f"{instance}\t{epoch:x}-{sequence}\tstored {_second(stored_at)}\t{told[0]} {_second(told[1])}")
    if not rows:
        _say("nothing is stored yet")
    return 0


def _second(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


async def _size(pool: Pool, top: int) -> int:
    _say("\n".join(report(await sizes_of(pool, top))))
    return 0


async def _adopt(pool: Pool, instance: str) -> int:
    async with pool.transaction() as connection:
        forgotten = await connection.execute("DELETE FROM flush_progress WHERE instance = $1", instance)
    if forgotten == "DELETE 0":
        sys.stderr.write(f"{instance}: no progress stored; see `log-aggregator postgres progress`\n")
        return 1
    _say("forgotten: its next flush is taken as it comes")
    return 0


async def _quarantine(pool: Pool) -> int:
    rows = await pool.fetch("SELECT id, set_aside_at, logs, reason, flush FROM log_quarantine ORDER BY id", [])
    for row_id, set_aside_at, logs, reason, flush in rows:
        _say(f"{row_id}\t{set_aside_at.isoformat(timespec='seconds')}\t{logs} logs\t{reason}\tflush {flush}")
    if not rows:
        _say("the quarantine is empty")
    return 0


async def _retry(pool: Pool, writer: Writer) -> int:
    stored = refused = 0
    for (row_id,) in await pool.fetch("SELECT id FROM log_quarantine ORDER BY id", []):
        for clean in (lambda aggregate: aggregate, clean_aggregate):
            try:
                async with pool.transaction() as connection:
                    packed = await connection.fetchval(
                        "DELETE FROM log_quarantine WHERE id = $1 RETURNING packed", row_id
                    )
                    if packed is not None:
                        await writer.store_again(connection, clean(unpack_aggregate(packed)))
                        stored += 1
                break
            except REFUSALS:
                continue
        else:
            refused += 1
    _say(f"stored {stored} rows, still refused {refused}")
    return 1 if refused else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")

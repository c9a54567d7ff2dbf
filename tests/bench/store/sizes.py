"""Where the bytes of a store go: by table and index, for rows of each age, and in the mean of a store of 30 days.

    python -m tests.bench.store.sizes [--store postgres] [--store sqlite] [--logs 80] [--patterns 2000]

A day of logs goes through the writer as flushes, into a store for each age: the last day; a day whose details are
packed (older than 48 hours); a day that is rolled up, too (older than 7 days). Maintenance is that of the sink. The
mean is that of 2, 5 and 23 such days. Patterns and logs are those of the fixture of millions of rows, a tenth of each.
Room that maintenance made free is used by later rows and not counted: PostgreSQL's tables are written anew.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import asyncpg

from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_postgres.maintenance import Maintenance
from log_aggregator_postgres.pool import Pool
from log_aggregator_sqlite import SqliteSink
from log_aggregator_sqlite.database import Database
from log_aggregator_sqlite.writer import Writer
from tests.bench.store.rows import BUCKET, bucket_of
from tests.support.postgres import PostgresServer, create_database
from tests.support.sinks import Chain, deliver, hosted

DAY, SAMPLES = 86_400, 5
AGES = {"last 48 hours": (0, 2), "details packed": (4, 5), "rolled up": (10, 23)}
"""How many days ago the day of each age began, and how many days of a store of 30 have that age."""

FLUSHES = 2


class Measured(NamedTuple):
    """How many rows there are, and the bytes of each table and index."""

    rows: int
    parts: dict[str, int]


async def _fill(sink: PostgresSink | SqliteSink, days_ago: int, logs: int, patterns: int) -> None:
    chain = Chain()
    today = int(time.time()) // DAY * DAY
    start = today - days_ago * DAY if days_ago else int(time.time()) // BUCKET * BUCKET - DAY
    for bucket in range(start, start + DAY, BUCKET):
        for number in range(FLUSHES):
            made = list(bucket_of(bucket, logs // FLUSHES, bucket + number, patterns))
            await deliver(sink, chain.flush(made))


async def in_postgres(server: PostgresServer, days_ago: int, logs: int, patterns: int, directory: Path) -> Measured:
    """Fill a database with a day, look after it, and measure its tables."""
    dsn = create_database(server)
    config = PostgresConfig.model_validate({"dsn": dsn, "maintenance_seconds": 36_000})
    sink = PostgresSink(config)
    async with hosted(sink, directory / str(days_ago)):
        await _fill(sink, days_ago, logs, patterns)
    pool = Pool(config)
    await Maintenance(pool, config, SAMPLES).once()
    await pool.close()
    database = await asyncpg.connect(dsn)
    await database.execute("VACUUM FULL")
    rows = await database.fetchval("SELECT count(*) FROM aggregated_logs")
    parts = await database.fetch(
        "SELECT c.relname AS name, pg_relation_size(c.oid) AS bytes, "
        "(SELECT relname FROM pg_class o WHERE o.reltoastrelid = c.oid) AS owner "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname IN ('public', 'pg_toast') AND c.relkind IN ('r', 'i', 't', 'm') "
        "AND pg_relation_size(c.oid) > 0 AND c.oid >= 16384"
    )
    await database.close()
    return Measured(rows, {f"{p['owner']} (TOAST)" if p["owner"] else p["name"]: p["bytes"] for p in parts})


async def in_sqlite(days_ago: int, logs: int, patterns: int, directory: Path) -> Measured:
    """Fill a file with a day, look after it, and measure its parts."""
    sink = SqliteSink(SqliteSink.Config.model_validate({"maintenance_seconds": 36_000}))
    place = directory / str(days_ago)
    place.mkdir()
    async with hosted(sink, place):
        await _fill(sink, days_ago, logs, patterns)
    path = place / "logs.sqlite3"
    database = Database(path, 10.0)
    await sink.maintain_once(database, Writer(0, SAMPLES, BUCKET), SAMPLES)
    await database.close()
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT count(*) FROM aggregated_logs").fetchone()[0]
    parts = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY 1"))
    connection.close()
    return Measured(rows, parts)


def tell(name: str, ages: dict[str, Measured]) -> None:
    """Print a line for each part, and the mean."""
    _say(f"{name}: bytes a row")
    _say(f"{'':36}" + "".join(f"{age:>18}" for age in ages))
    _say(f"{'rows of a day':36}" + "".join(f"{one.rows:18,}" for one in ages.values()))
    parts = sorted({part for one in ages.values() for part in one.parts})
    for part in sorted(parts, key=lambda part: -sum(one.parts.get(part, 0) / one.rows for one in ages.values())):
        each = [one.parts.get(part, 0) / one.rows for one in ages.values()]
        if max(each) >= 1:
            _say(f"{part:36}" + "".join(f"{size:18.0f}" for size in each))
    totals = [sum(one.parts.values()) for one in ages.values()]
    _say(f"{'all':36}" + "".join(f"{all_ / one.rows:18.0f}" for all_, one in zip(totals, ages.values(), strict=True)))
    days = [AGES[age][1] for age in ages]
    rows = sum(one.rows * many for one, many in zip(ages.values(), days, strict=True))
    mean = sum(all_ * many for all_, many in zip(totals, days, strict=True)) / rows
    _say(f"{'mean of 30 days':36}{mean:18.0f}")


async def run(stores: list[str], logs: int, patterns: int, directory: Path) -> None:
    """Measure and print."""
    if "sqlite" in stores:
        tell("SQLite", {age: await in_sqlite(ago, logs, patterns, directory) for age, (ago, _) in AGES.items()})
    if "postgres" in stores:
        server = PostgresServer().start()
        try:
            ages = {age: await in_postgres(server, ago, logs, patterns, directory) for age, (ago, _) in AGES.items()}
        finally:
            server.remove()
        tell("PostgreSQL", ages)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.store.sizes")
    parser.add_argument("--store", action="append", choices=("postgres", "sqlite"))
    parser.add_argument("--logs", type=int, default=80, help="logs in five minutes")
    parser.add_argument("--patterns", type=int, default=2000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sizes-") as directory:
        asyncio.run(run(asked.store or ["sqlite", "postgres"], asked.logs, asked.patterns, Path(directory)))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

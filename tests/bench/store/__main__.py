"""How long a large store takes to answer, and how large it is.

    python -m tests.bench.store [--rows 1000000] [--store postgres] [--store sqlite]

Each question is asked three times with other parameters; shown is the longest time but the first. Exact counts are
checked against the rows. The tables are filled by `filling`; PostgreSQL runs with 128 MB of shared buffers.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg

from log_aggregator.model.record import pattern_id
from log_aggregator.store import AnomalyQuery, PatternQuery, SeriesQuery, Store
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_sqlite import SqliteSink
from tests.bench.store.filling import fill_postgres, fill_sqlite, now_hour, store_hour
from tests.support.postgres import PostgresServer, create_database
from tests.support.sinks import SECOND, hosted

DAY = 86_400
LEVELS = ("ERROR", "INFO", "WARN")


def _id(number: int) -> str:
    return pattern_id(f"Worker {number} took order {{ID}} of the queue")


def _series(days: int, place: int, **more: Any) -> SeriesQuery:
    until = (now_hour() + 3600 - place * 60) * SECOND
    return SeriesQuery(since=until - days * DAY * SECOND, until=until, step=3600, **more)


QUESTIONS: dict[str, Callable[[Store, int], Awaitable[Any]]] = {
    "patterns, newest": lambda store, n: store.patterns(PatternQuery(limit=50 + n)),
    "patterns, by count": lambda store, n: store.patterns(PatternQuery(order="count", limit=50 + n)),
    "patterns of a level": lambda store, n: store.patterns(PatternQuery(order="count", level=LEVELS[n])),
    "patterns by text": lambda store, n: store.patterns(PatternQuery(q=f"worker {n + 7}3")),
    "patterns of an hour": lambda store, n: store.patterns(PatternQuery(since=(now_hour() - n * 60) * SECOND)),
    "pattern, frequent": lambda store, n: store.pattern(_id(n)),
    "pattern, rare": lambda store, n: store.pattern(_id(15_000 + n)),
    "timeline of a day": lambda store, n: store.series(_series(1, n, pattern_id=_id(n))),
    "timeline of an hour": lambda store, n: store.series(
        SeriesQuery(since=now_hour() * SECOND, until=(now_hour() + 3600) * SECOND, step=60, pattern_id=_id(n))
    ),
    "series of a day": lambda store, n: store.series(_series(1, n, split_by="level")),
    "series of a week": lambda store, n: store.series(_series(7, n, split_by="level")),
    "anomalies": lambda store, n: store.anomalies(AnomalyQuery(limit=50 + n)),
}


async def ask(store: Store) -> None:
    """Ask everything and print how long it took."""
    for name, question in QUESTIONS.items():
        times = []
        for place in range(3):
            started = time.perf_counter()
            await question(store, place)
            times.append(time.perf_counter() - started)
        _say(f"{name:24}{max(times[1:]):8.3f} s   (first {times[0]:.3f} s)")


async def in_postgres(rows: int, directory: Path) -> None:
    """Fill and ask PostgreSQL."""
    server = PostgresServer({"shared_buffers": "128MB", "max_wal_size": "4GB"}).start()
    try:
        dsn = create_database(server)
        config = PostgresConfig.model_validate({"dsn": dsn, "maintenance_seconds": 36_000, "rollup_days": 0})
        sink, database = PostgresSink(config), await asyncpg.connect(dsn)
        async with hosted(sink, directory) as host:
            hours = await fill_postgres(sink, database, rows)
            sizes = await database.fetchrow(
                "SELECT (SELECT count(*) FROM aggregated_logs) AS rows, pg_table_size('aggregated_logs') AS heap, "
                "pg_indexes_size('aggregated_logs') AS indexes, (SELECT count(*) FROM pattern_hours) AS hours, "
                "pg_total_relation_size('pattern_hours') + pg_total_relation_size('pattern_totals') AS summary"
            )
            stored = sizes["rows"]
            _say(f"PostgreSQL: {stored:,} rows of {hours} hours; heap {sizes['heap'] / stored:.0f}, indexes "
                 f"{sizes['indexes'] / stored:.0f}, summary {sizes['summary'] / stored:.0f} bytes a row")  # fmt: skip
            await ask(host.store)
        await database.close()
    finally:
        server.remove()


async def in_sqlite(rows: int, directory: Path) -> None:
    """Fill and ask SQLite."""
    options = {"rollup_days": 0, "maintenance_seconds": 36_000, "retention_days": 0}
    sink, path = SqliteSink(SqliteSink.Config.model_validate(options)), directory / "logs.sqlite3"
    async with hosted(sink, directory):
        await store_hour(sink, now_hour())
    hours = await asyncio.to_thread(fill_sqlite, path, rows)
    _say(f"SQLite: {rows:,} rows of {hours} hours; {path.stat().st_size / rows:.0f} bytes a row, summary included")
    async with hosted(sink, directory) as host:
        await ask(host.store)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.store")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--store", action="append", choices=("postgres", "sqlite"))
    asked = parser.parse_args()
    for name in asked.store or ("postgres", "sqlite"):
        with tempfile.TemporaryDirectory(prefix="store-") as directory:
            asyncio.run((in_postgres if name == "postgres" else in_sqlite)(asked.rows, Path(directory)))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""What reading a large store costs: a store of many rows is made, then each question is timed, warm.

    python tests/bench/bench_reading.py sqlite|postgres [--rows 1000000] [--directory build/bench-reading] [--repeat 3]

Rows are 5-minute buckets of 7 days: patterns by Zipf, two of 200 sources for each, ten metadata keys. A file that is
there, and a database (`--dsn`) that has rows, are used again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from log_aggregator import pattern_id
from log_aggregator.model.aggregate import Key
from log_aggregator.model.summary import summarize, to_json
from log_aggregator.store import PatternQuery, SeriesQuery, Store
from log_aggregator.storekit import group_key
from tests.support.sinks import hosted

PATTERNS, SOURCES, DAYS, BUCKET = 20_000, 200, 7, 300
NOW = int(time.time()) // 3600 * 3600
START = NOW - DAYS * 86_400
US = 1_000_000
LEVELS = ["INFO"] * 8 + ["WARN", "ERROR"]
NAMES = (
    "pattern_id, bucket, group_key, bucket_seconds, message_pattern, level, source, grouped_by, count, first_seen, "
    "last_seen, metadata, sample_messages, latest_sample, categories, category, tags"
)


def rows(count: int) -> Iterator[tuple[Any, ...]]:
    """Distinct rows in the order of time; of the same seed always the same."""
    chance = random.Random(7)
    variants = [
        json.dumps(to_json(summarize([{f"key {k}": chance.randrange(10**4) for k in range(10)}]))) for _ in range(200)
    ]
    weights = [1 / (n + 10) for n in range(PATTERNS)]
    per_bucket = count * BUCKET // (DAYS * 86_400) + 1
    made = 0
    for bucket in range(START, NOW, BUCKET):
        keys = set()
        for number in chance.choices(range(PATTERNS), weights, k=per_bucket):
            keys.add((number, LEVELS[number % 10], f"source {(number + chance.randrange(2)) % SOURCES}"))
        for number, level, source in sorted(keys):
            pattern = f"request {number} of {{ID}} took {{TIME}}"
            key = Key(bucket, pattern_id(pattern), level, source)
            first = (bucket + chance.randrange(200)) * US
            yield (
                key.pattern_id, bucket * US, group_key(key), BUCKET, pattern, level, source, "", 3, first, first + US,
                chance.choice(variants), json.dumps([f"request {number} of 5 took 7 ms"]), 0, '{"http": 3}', "http",
                '{"web": 3}',
            )  # fmt: skip
            made += 1
            if made == count:
                return


def fill_sqlite(path: Path, count: int) -> None:
    """Write the rows into a file that has its tables."""
    connection = sqlite3.connect(path)
    marks = ", ".join("?" * len(NAMES.split(",")))
    with connection:
        connection.executemany(f"INSERT INTO aggregated_logs ({NAMES}) VALUES ({marks})", rows(count))
    connection.close()


async def fill_postgres(dsn: str, count: int) -> None:
    """Copy the rows into a database that has its tables."""
    import asyncpg

    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TEMP TABLE raw AS SELECT * FROM aggregated_logs LIMIT 0")
    for name in ("bucket", "first_seen", "last_seen"):
        await connection.execute(f"ALTER TABLE raw ALTER {name} TYPE bigint USING 0")
    for name in ("metadata", "sample_messages", "categories", "tags"):
        await connection.execute(f"ALTER TABLE raw ALTER {name} TYPE text")
    names = NAMES.split(", ")
    await connection.copy_records_to_table("raw", records=rows(count), columns=names)
    read = {name: f"to_timestamp({name} / 1e6)" for name in ("bucket", "first_seen", "last_seen")}
    read |= {name: f"{name}::jsonb" for name in ("metadata", "sample_messages", "categories", "tags")}
    columns = ", ".join(read.get(name, name) for name in names)
    await connection.execute(f"INSERT INTO aggregated_logs ({NAMES}) SELECT {columns} FROM raw")
    await connection.execute("DROP TABLE raw")
    await connection.execute("VACUUM ANALYZE")
    size = await connection.fetchval("SELECT pg_total_relation_size('aggregated_logs')")
    print(f"aggregated_logs: {size / count:.0f} bytes a row, indexes included")
    await connection.close()


async def ask(store: Store, repeat: int) -> None:
    """Time each question; other parameters in each call."""
    hot, rare = (pattern_id(f"request {n} of {{ID}} took {{TIME}}") for n in (0, 15_000))
    day, week = {"since": (NOW - 86_400) * US, "until": NOW * US}, {"since": START * US, "until": NOW * US}
    questions: dict[str, Any] = {
        "patterns, newest": lambda n: store.patterns(PatternQuery(limit=50 + n)),
        "patterns, by count": lambda n: store.patterns(PatternQuery(order="count", limit=50 + n)),
        "patterns, with q": lambda n: store.patterns(PatternQuery(q=f"REQUEST {n + 1}7")),
        "patterns since 1 h": lambda n: store.patterns(PatternQuery(since=(NOW - 3600 - n) * US)),
        "patterns since 1 d": lambda n: store.patterns(PatternQuery(since=(NOW - 86_400 - n) * US)),
        "pattern, hot": lambda _: store.pattern(hot),
        "pattern, rare": lambda _: store.pattern(rare),
        "timeline, hot, 1 d": lambda _: store.series(SeriesQuery(pattern_id=hot, step=300, **day)),
        "series 1 d, 5 min": lambda _: store.series(SeriesQuery(step=300, **day)),
        "series 1 d, hourly": lambda _: store.series(SeriesQuery(step=3600, split_by="level", **day)),
        "series 7 d, hourly": lambda _: store.series(SeriesQuery(step=3600, split_by="level", **week)),
        "series 7 d, daily": lambda _: store.series(SeriesQuery(step=86_400, **week)),
    }
    for name, question in questions.items():
        took = []
        for turn in range(repeat):
            started = time.perf_counter()
            try:
                async with asyncio.timeout(60):
                    await question(turn)
            except TimeoutError:
                took.append(60.0)
                break
            took.append(time.perf_counter() - started)
        print(f"{name:22} {min(took):8.3f} s", flush=True)


async def main() -> None:
    """Make the store where it is missing, then ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", choices=["sqlite", "postgres"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, default=Path("build/bench-reading"))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--dsn", help="a PostgreSQL that has the rows")
    given = parser.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    if given.store == "sqlite":
        from log_aggregator_sqlite import SqliteSink

        path = given.directory / f"{given.rows}.sqlite3"
        is_there = path.exists()
        sink: Any = SqliteSink(SqliteSink.Config(path=path, rollup_days=0))
        async with hosted(sink, given.directory) as host:
            await host.store.health()
            if not is_there:
                fill_sqlite(path, given.rows)
            print(f"{path.stat().st_size / given.rows:.0f} bytes a row, indexes included")
            await ask(host.store, given.repeat)
        return
    from log_aggregator_postgres import PostgresConfig, PostgresSink

    config = {"dsn": given.dsn, "rollup_days": 0, "maintenance_seconds": 5}
    sink = PostgresSink(PostgresConfig.model_validate(config))
    async with hosted(sink, given.directory) as host:
        while (await host.store.health()).figures.get("quarantined_logs") is None or sink._schema is None:
            await asyncio.sleep(0.1)
        await sink._schema.wait()
        if (await host.store._fetch("SELECT count(*) FROM (SELECT 1 FROM aggregated_logs LIMIT 1) AS one", []))[0][
            0
        ] == 0:
            await fill_postgres(given.dsn, given.rows)
            await asyncio.sleep(30)  # the hours are added up meanwhile
        await ask(host.store, given.repeat)


if __name__ == "__main__":
    asyncio.run(main())

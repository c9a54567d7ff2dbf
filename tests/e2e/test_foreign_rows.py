"""Rows that another program wrote, or wrote to: they stop no flush, no reading call and no roll-up, in either store."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec
import pytest

from log_aggregator import pattern_id
from log_aggregator.store import PatternQuery, SeriesQuery, Store
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_postgres.maintenance import Maintenance
from log_aggregator_postgres.pool import Pool
from log_aggregator_sqlite import SqliteSink
from tests.support.foreign import nearly_ours
from tests.support.postgres import postgres_dsn, postgres_server
from tests.support.sinks import SECOND, Chain, aggregate, all_patterns, deliver, hosted

__all__ = ["postgres_dsn", "postgres_server"]

HOUR = 3600
TEN_DAYS_AGO = int(time.time()) // HOUR * HOUR - 10 * 24 * HOUR
ODD = [None, 3, "x", [], [1, None], {}, {"a": "b"}, {"a": -1}, {"a": 1.5}, {"a": 10**30}, {"a": None, "auth": 2}]
SOME = 5
"""Of all strange values every fifth is stored; the tests of summaries try all."""
DEEP = "[" * 3000 + "]" * 3000


class Stored(NamedTuple):
    """A store, how a person runs a statement for each of many values, and how it is rolled up."""

    sink: Any
    store: Store
    execute: Callable[[str, list[tuple[Any, ...]]], Awaitable[None]]
    roll_up: Callable[[], Awaitable[None]]


@pytest.fixture
async def in_sqlite(tmp_path: Path) -> AsyncIterator[Stored]:
    sink = SqliteSink(SqliteSink.Config(rollup_days=7, maintenance_seconds=3600))
    async with hosted(sink, tmp_path) as host:

        async def execute(sql: str, values: list[tuple[Any, ...]]) -> None:
            connection = sqlite3.connect(tmp_path / "logs.sqlite3")
            with connection:
                connection.executemany(sql, values)
            connection.close()

        async def roll_up() -> None:
            assert sink._database is not None
            assert sink._writer is not None
            await sink.maintain_once(sink._database, sink._writer, 5)

        yield Stored(sink, host.store, execute, roll_up)


@pytest.fixture
async def in_postgres(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Stored]:
    config = PostgresConfig.model_validate({"dsn": postgres_dsn, "rollup_days": 7, "maintenance_seconds": 3600})
    sink = PostgresSink(config)
    async with hosted(sink, tmp_path) as host:

        async def execute(sql: str, values: list[tuple[Any, ...]]) -> None:
            connection = await asyncpg.connect(postgres_dsn)
            await connection.executemany(sql, values)
            await connection.close()

        async def roll_up() -> None:
            pool = Pool(config)
            await Maintenance(pool, config, 5).once()
            await pool.close()

        yield Stored(sink, host.store, execute, roll_up)


@pytest.fixture(params=["in_sqlite", "in_postgres"])
def stored(request: pytest.FixtureRequest) -> Stored:
    found: Stored = request.getfixturevalue(request.param)
    return found


def old(pattern: str, at: int) -> Any:
    moment = TEN_DAYS_AGO + at
    row = aggregate(pattern, 1)
    return msgspec.structs.replace(
        row, bucket=moment // 300 * 300, first_seen=moment * SECOND, last_seen=moment * SECOND
    )


async def check_reading(store: Store, ids: list[str], count: int) -> None:
    rows = await all_patterns(store)
    assert sum(row.count for row in rows) == count
    everything = SeriesQuery(since=0, until=(int(time.time()) + HOUR) * SECOND, step=HOUR)
    assert sum(line.total for line in await store.series(everything)) == count
    for one in ids:
        detail = await store.pattern(one)
        assert detail is not None
        assert json.loads(msgspec.json.encode(detail.model_dump()))["count"] == detail.count


async def test_whatever_a_row_holds_it_is_merged_read_and_rolled_up(stored: Stored) -> None:
    """Every row is ours, and then its JSON is changed: by one strange value in `metadata`, by odd ones beside it."""
    strange = [*[json.dumps(value) for value in nearly_ours()][::SOME], DEEP]
    patterns = [f"pattern {n}" for n in range(len(strange))]
    ids = [pattern_id(pattern) for pattern in patterns]
    chain = Chain()
    await deliver(stored.sink, chain.flush([old(pattern, 0) for pattern in patterns]))
    await stored.execute(
        "UPDATE aggregated_logs SET metadata = $1, sample_messages = $2, tags = $3, categories = $4 "
        "WHERE pattern_id = $5",
        [
            (metadata, *[json.dumps(ODD[(n + shift) % len(ODD)]) for shift in range(3)], ids[n])
            for n, metadata in enumerate(strange)
        ],
    )
    some = ids[::25] + ids[-1:]
    await check_reading(stored.store, some, len(ids))
    await deliver(stored.sink, chain.flush([old(pattern, 1) for pattern in patterns]))
    await check_reading(stored.store, some, 2 * len(ids))
    await deliver(stored.sink, chain.flush([old(pattern, 300) for pattern in patterns]))
    await check_reading(stored.store, some, 3 * len(ids))
    await stored.roll_up()
    await check_reading(stored.store, some, 3 * len(ids))


async def test_text_that_is_no_json_and_no_text_at_all(in_sqlite: Stored) -> None:
    """A column of SQLite takes anything."""
    chain, odd = Chain(), ["NULL", "3", "2.5", "''", "'{'", "x'00ff'", "CAST(x'ff' AS TEXT)", "'\"\\ud800\"'"]
    patterns = [f"pattern {n}" for n in range(len(odd))]
    await deliver(in_sqlite.sink, chain.flush([old(pattern, 0) for pattern in patterns]))
    for pattern, value in zip(patterns, odd, strict=True):
        columns = ", ".join(f"{name} = {value}" for name in ("metadata", "sample_messages", "tags", "categories"))
        await in_sqlite.execute(f"UPDATE aggregated_logs SET {columns} WHERE pattern_id = ?", [(pattern_id(pattern),)])
    ids = [pattern_id(pattern) for pattern in patterns]
    await check_reading(in_sqlite.store, ids, len(odd))
    for at in (1, 300):
        await deliver(in_sqlite.sink, chain.flush([old(pattern, at) for pattern in patterns]))
    await in_sqlite.roll_up()
    await check_reading(in_sqlite.store, ids, 3 * len(odd))


async def test_empty_and_endless_columns_of_another_program(in_postgres: Stored) -> None:
    chain = Chain()
    await deliver(in_postgres.sink, chain.flush([old("ours", 0), old("ours, then changed", 0)]))
    times = ["NULL", "'infinity'", "'-infinity'", "'290000-01-01'", "'4000-01-01 BC'", "now()"]
    for time_of in times:
        await in_postgres.execute(
            "INSERT INTO aggregated_logs (message_pattern, pattern_id, count, level, source, first_seen, last_seen) "
            f"VALUES ('theirs', $1, NULL, NULL, NULL, {time_of}, {time_of})",
            [(pattern_id("theirs"),), (pattern_id("ours"),)],
        )
    await in_postgres.execute(
        "UPDATE aggregated_logs SET count = NULL, revision = NULL, last_seen = 'infinity', latest_sample = NULL "
        "WHERE pattern_id = $1",
        [(pattern_id("ours, then changed"),)],
    )
    for order in ("newest", "count"):
        page = await in_postgres.store.patterns(PatternQuery(order=order, limit=1))
        assert page.cursor is not None
        assert (await in_postgres.store.patterns(PatternQuery(order=order, limit=1, cursor=page.cursor))).patterns
    counts = {row.pattern: row.count for row in await all_patterns(in_postgres.store)}
    assert counts == {"theirs": len(times), "ours": len(times) + 1, "ours, then changed": 1}
    await deliver(in_postgres.sink, chain.flush([old("ours", 1), old("ours, then changed", 1)]))
    await in_postgres.roll_up()
    counts = {row.pattern: row.count for row in await all_patterns(in_postgres.store)}
    assert counts == {"theirs": len(times), "ours": len(times) + 2, "ours, then changed": 1}
    for pattern in counts:
        assert await in_postgres.store.pattern(pattern_id(pattern)) is not None

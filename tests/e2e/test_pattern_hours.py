"""`pattern_hours` equals the rows: after flushes, roll-up, retention, and whatever other programs do to the rows."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec
import pytest

from log_aggregator import pattern_id
from log_aggregator.sinks import Aggregate, Alias
from log_aggregator.store import PatternQuery, SeriesQuery, Store
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_postgres.hours import add_up_hours
from log_aggregator_postgres.maintenance import Maintenance, delete_old, name_patterns
from log_aggregator_postgres.pool import Pool
from log_aggregator_sqlite import SqliteSink
from log_aggregator_sqlite.maintenance import delete_step
from tests.support.postgres import postgres_dsn, postgres_server
from tests.support.sinks import SECOND, Chain, aggregate, deliver, hosted

__all__ = ["postgres_dsn", "postgres_server"]

HOUR, DAY = 3600, 86_400
START = int(time.time()) // DAY * DAY - 12 * DAY
SEEDS = range(3)

SUMS = """
SELECT pattern_id, level, cast(sum(count) as bigint), min(first_seen), max(last_seen) FROM pattern_totals
GROUP BY 1, 2 ORDER BY 1, 2;
SELECT pattern_id, level, cast(count as bigint), first_seen, last_seen FROM pattern_levels ORDER BY 1, 2;
SELECT hour, level, source, cast(sum(count) as bigint) FROM pattern_hours GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT hour, level, source, cast(count as bigint) FROM source_hours ORDER BY 1, 2, 3"""
"""Two pairs of queries whose answers are equal."""

ROWS = """
SELECT pattern_id, {hour}, coalesce(level, ''), coalesce(source, ''), coalesce(category, ''),
       cast(sum(coalesce(count, 1)) as bigint), min({first}), max({last}) FROM aggregated_logs
WHERE pattern_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""


class Stored(NamedTuple):
    """A sink, its store, how a person runs a statement, how old rows are settled, and what both tables say."""

    sink: Any
    store: Store
    execute: Callable[[str], Awaitable[Any]]
    roll_up: Callable[[], Awaitable[None]]
    delete: Callable[[int], Awaitable[None]]
    hours: Callable[[], Awaitable[list[Any]]]
    rows: Callable[[], Awaitable[list[Any]]]
    moment: Callable[[int], str]
    ask: Callable[[str], Awaitable[list[Any]]]


@pytest.fixture
async def in_sqlite(tmp_path: Path) -> AsyncIterator[Stored]:
    sink = SqliteSink(SqliteSink.Config(rollup_days=7, maintenance_seconds=3600))
    path = tmp_path / "logs.sqlite3"

    async def execute(sql: str) -> Any:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    async def roll_up() -> None:
        assert sink._database is not None
        assert sink._writer is not None
        await sink.maintain_once(sink._database, sink._writer, 5)

    async def delete(days: int) -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        while delete_step(connection, days):
            pass
        connection.close()

    rows = ROWS.format(hour="bucket / 3600000000 * 3600000000", first="first_seen", last="last_seen")
    async with hosted(sink, tmp_path) as host:
        yield Stored(
            sink, host.store, execute, roll_up, delete,
            lambda: execute("SELECT * FROM pattern_hours ORDER BY 1, 2, 3, 4, 5"), lambda: execute(rows),
            lambda at: str(at * SECOND), execute,
        )  # fmt: skip


@pytest.fixture
async def in_postgres(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Stored]:
    config = PostgresConfig.model_validate({"dsn": postgres_dsn, "rollup_days": 7, "maintenance_seconds": 3600})
    sink, pool = PostgresSink(config), Pool(config)
    connection = await asyncpg.connect(postgres_dsn)

    async def roll_up() -> None:
        await Maintenance(pool, config, 5).once()

    async def delete(days: int) -> None:
        while await delete_old(connection, time.time() - days * DAY):
            pass

    async def hours() -> list[Any]:
        await name_patterns(connection)
        async with connection.transaction():
            await add_up_hours(connection)
        return [tuple(row) for row in await connection.fetch(
            "SELECT pattern_id, hour, level, source, category, count::bigint, first_seen, last_seen "
            "FROM pattern_hours ORDER BY 1, 2, 3, 4, 5"
        )]  # fmt: skip

    async def rows() -> list[Any]:
        times = {"first": "coalesce(first_seen, last_seen, bucket)", "last": "coalesce(last_seen, first_seen, bucket)"}
        return [tuple(row) for row in await connection.fetch(ROWS.format(hour="log_aggregator_hour(bucket)", **times))]

    async with hosted(sink, tmp_path) as host:
        yield Stored(
            sink,
            host.store,
            connection.execute,
            roll_up,
            delete,
            hours,
            rows,
            lambda at: f"to_timestamp({at})",
            connection.fetch,
        )
    await pool.close()
    await connection.close()


@pytest.fixture(params=["in_sqlite", "in_postgres"])
def stored(request: pytest.FixtureRequest) -> Stored:
    found: Stored = request.getfixturevalue(request.param)
    return found


def drawn(chance: random.Random) -> Aggregate:
    """An aggregate of one of few keys, whose category may win or lose."""
    moment = START + chance.randrange(10 * DAY // 300) * 300 // chance.choice([1, 40])
    category = chance.choice(["db", "auth", ""])
    return msgspec.structs.replace(
        aggregate(f"p {chance.randrange(4)}", chance.randrange(1, 9)),
        bucket=moment // 300 * 300, level=chance.choice(["INFO", "ERROR"]), source=chance.choice(["web", "db"]),
        first_seen=moment * SECOND, last_seen=(moment + chance.randrange(100)) * SECOND,
        categories={category: chance.randrange(1, 5)} if category else {}, minutes=(),
    )  # fmt: skip


def foreign(stored: Stored, chance: random.Random) -> list[str]:
    """What another program may do to the rows."""
    at = stored.moment(START + chance.randrange(9 * DAY))
    insert = "INSERT INTO aggregated_logs (message_pattern, count, level, source, first_seen, last_seen"
    if isinstance(stored.sink, SqliteSink):
        insert += ", pattern_id, group_key, bucket, bucket_seconds) VALUES ('theirs', 3, 'INFO', 'old', "
        insert += f"{at}, {at}, '{pattern_id('theirs')}', x'{chance.randrange(10**8):08}', {at}, 300)"
    else:
        insert += f") VALUES ('theirs', 3, NULL, 'old', {at}, {at}), ('theirs', NULL, 'INFO', NULL, NULL, {at})"
    return [
        insert,
        f"UPDATE aggregated_logs SET count = count + 2 WHERE id % 7 = {chance.randrange(7)}",
        f"UPDATE aggregated_logs SET category = 'moved' WHERE id % 11 = {chance.randrange(11)}",
        f"UPDATE aggregated_logs SET last_seen = first_seen WHERE id % 5 = {chance.randrange(5)}",
        f"DELETE FROM aggregated_logs WHERE id % 6 = {chance.randrange(6)}",
    ]


async def check(stored: Stored) -> None:
    assert await stored.hours() == await stored.rows()
    sums = [await stored.ask(sql) for sql in SUMS.split(";")]
    assert sums[1] == sums[0]
    assert sums[3] == sums[2]
    for order in ("newest", "count"):
        summary = await stored.store.patterns(PatternQuery(order=order))
        rows = await stored.store.patterns(PatternQuery(order=order, since=0))
        exact = {"pattern_id", "pattern", "count", "first_seen", "last_seen", "levels", "sources", "category"}
        assert [r.model_dump(include=exact) for r in summary.patterns] == [
            r.model_dump(include=exact) for r in rows.patterns
        ]
    always = {"since": START * SECOND, "until": int(time.time() + HOUR) * SECOND}
    hourly = await stored.store.series(SeriesQuery(step=HOUR, split_by="level", **always))
    fine = await stored.store.series(SeriesQuery(step=300, split_by="level", **always))
    assert {line.name: line.total for line in hourly} == {line.name: line.total for line in fine}


@pytest.mark.parametrize("seed", SEEDS)
async def test_hours_equal_rows(stored: Stored, seed: int) -> None:
    chance, chain = random.Random(seed), Chain()
    for _ in range(4):
        await deliver(stored.sink, chain.flush([drawn(chance) for _ in range(60)]))
    await deliver(stored.sink, chain.flush(aliases=[Alias(pattern_id("p 0"), "p 1", 1)]))
    await check(stored)
    for statement in foreign(stored, chance):
        await stored.execute(statement)
        await check(stored)
    await deliver(stored.sink, chain.flush([drawn(chance) for _ in range(60)]))
    await check(stored)
    await stored.roll_up()
    await check(stored)
    await stored.delete(8)
    await check(stored)
    await stored.execute("DELETE FROM aggregated_logs")
    assert await stored.hours() == []


async def test_what_is_not_added_up_yet_is_counted_too(in_postgres: Stored) -> None:
    chance, chain = random.Random(1), Chain()
    rows = [drawn(chance) for _ in range(50)]
    await deliver(in_postgres.sink, chain.flush(rows))
    page = await in_postgres.store.patterns(PatternQuery())
    assert sum(row.count for row in page.patterns) == sum(row.count for row in rows)
    assert {row.pattern for row in page.patterns} == {row.pattern for row in rows}
    await in_postgres.execute("TRUNCATE aggregated_logs")
    assert (await in_postgres.store.patterns(PatternQuery())).patterns == []

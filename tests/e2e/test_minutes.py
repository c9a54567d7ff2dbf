"""Counts by the minute: the same in both stores, exact in sum, also where rows do not know their minutes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec
import pytest

from log_aggregator.store import Series, SeriesQuery, Store
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_sqlite import SqliteSink
from tests.support.postgres import postgres_dsn, postgres_server
from tests.support.sinks import NOON, SECOND, Chain, aggregate, deliver, hosted

__all__ = ["postgres_dsn", "postgres_server"]


class Stored(NamedTuple):
    """A sink and its store."""

    sink: Any
    store: Store


@pytest.fixture(params=["sqlite", "postgres"])
async def stored(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stored]:
    if request.param == "sqlite":
        sink: Any = SqliteSink(SqliteSink.Config(rollup_days=0))
    else:
        dsn = request.getfixturevalue("postgres_dsn")
        sink = PostgresSink(PostgresConfig.model_validate({"dsn": dsn, "rollup_days": 0}))
    async with hosted(sink, tmp_path) as host:
        yield Stored(sink, host.store)


async def ask(store: Store, since: int, until: int, step: int = 60, **more: Any) -> list[Series]:
    query = SeriesQuery(since=(NOON + since) * SECOND, until=(NOON + until) * SECOND, step=step, **more)
    found = await store.series(query)
    assert all(line.total == sum(count for _, count in line.points) for line in found)
    return found


def points(series: list[Series]) -> dict[int, int]:
    return {start - NOON: count for line in series for start, count in line.points}


async def test_an_hour_has_sixty_points(stored: Stored) -> None:
    chain = Chain()
    await deliver(stored.sink, chain.flush([aggregate("p", 1 + at // 60, at=at) for at in range(0, 3600, 60)]))
    await deliver(stored.sink, chain.flush([aggregate("p", 100, at=at) for at in range(0, 3600, 60)]))
    expected = {at: 101 + at // 60 for at in range(0, 3600, 60)}
    assert points(await ask(stored.store, 0, 3600)) == expected
    assert points(await ask(stored.store, 0, 3600, pattern_id=aggregate("p").pattern_id, split_by="level")) == expected
    assert points(await ask(stored.store, 120, 1000)) == {at: n for at, n in expected.items() if 120 <= at < 1000}
    by_two = points(await ask(stored.store, 0, 3600, step=120))
    assert by_two == {at: expected[at] + expected[at + 60] for at in range(0, 3600, 120)}
    assert sum(points(await ask(stored.store, 0, 3600, step=300)).values()) == sum(expected.values())


async def test_what_came_in_unknown_minutes_counts_where_its_bucket_begins(stored: Stored) -> None:
    known, unknown = aggregate("p", 3, at=130), msgspec.structs.replace(aggregate("p", 5, at=200), minutes=())
    hour = msgspec.structs.replace(aggregate("q", 7, at=600), minutes=())
    await deliver(stored.sink, Chain().flush([known, unknown, hour]))
    assert points(await ask(stored.store, 0, 3600)) == {0: 5, 120: 3, 600: 7}
    assert points(await ask(stored.store, 60, 3600)) == {120: 3, 600: 7}


async def test_minutes_of_another_form_change_no_sum(stored: Stored, tmp_path: Path, request: Any) -> None:
    if isinstance(stored.sink, SqliteSink):
        pytest.skip("see test_foreign_rows: columns of SQLite take anything")
    await deliver(stored.sink, Chain().flush([aggregate("p", 3, at=130)]))
    connection = await asyncpg.connect(request.getfixturevalue("postgres_dsn"))
    try:
        for odd in ("", "[1,null]", "{}", "[1e9]", "x", "[-1]"):
            await connection.execute("UPDATE aggregated_logs SET minutes = $1", odd)
            assert points(await ask(stored.store, 0, 300)) == {0: 3}
    finally:
        await connection.close()

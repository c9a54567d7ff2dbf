"""Searches, marks, triage and comparisons on the embedded store."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from log_aggregator.oncall import OnCallStore, ValuesQuery, ValuesStore
from log_aggregator_sqlite import SqliteConfig, SqliteSink
from tests.support import on_call
from tests.support.sinks import hosted


@pytest.fixture
async def sink() -> SqliteSink:
    return SqliteSink(SqliteConfig.model_validate({"rollup_days": 0}))


@pytest.fixture
async def store(sink: SqliteSink, tmp_path: Path) -> AsyncIterator[OnCallStore]:
    async with hosted(sink, tmp_path) as host:
        assert isinstance(host.store, OnCallStore)
        yield host.store


async def test_searches(store: OnCallStore, sink: SqliteSink) -> None:
    await on_call.fill(sink)
    await on_call.check_searches(store)
    await on_call.check_searched_series(store)
    await on_call.check_values(store)


async def test_a_count_of_nothing_by_another_program_is_answered(
    store: OnCallStore, sink: SqliteSink, tmp_path: Path
) -> None:
    await on_call.fill(sink)
    nothing = '{"region": {"count": 0, "values": [{"value": "eu", "count": 0}]}}'
    with closing(sqlite3.connect(tmp_path / "logs.sqlite3")) as connection, connection:
        connection.execute("UPDATE aggregated_logs SET metadata = ?", (nothing,))
    assert isinstance(store, ValuesStore)
    found = await store.values(ValuesQuery(key="region"))
    assert [(one.value, one.logs, one.error_share) for one in found.values] == [("eu", 0, 0)]


async def test_marks(store: OnCallStore) -> None:
    await on_call.check_marks(store)


async def test_triage(store: OnCallStore, sink: SqliteSink) -> None:
    await on_call.check_triage(store, sink)


async def test_comparison(store: OnCallStore, sink: SqliteSink) -> None:
    await on_call.check_comparison(store, sink)

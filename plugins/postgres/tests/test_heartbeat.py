"""Instances that share a database: one that is gone without a clean stop is told, the others are not."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from log_aggregator import RetryableError
from log_aggregator_postgres.heartbeat import Heartbeat
from log_aggregator_postgres.pool import Pool
from tests.support.edges import eventually
from tests.support.sinks import Chain, aggregate, deliver, hosted

LATER = """
UPDATE flush_progress SET heard_at = heard_at - interval '1 hour', stored_at = stored_at - interval '1 hour'"""


async def heard(database: asyncpg.Connection, instance: str) -> tuple[bool, bool]:
    """Whether an instance said that it is there, and that it stopped."""
    sql = "SELECT heard_at IS NOT NULL, stopped_at IS NOT NULL FROM flush_progress WHERE instance = $1"
    return tuple(await database.fetchrow(sql, instance))


async def store_one(sink, host, instance: str) -> None:
    """Store a flush of an instance, and say that it is there."""
    await deliver(sink, Chain(instance).flush([aggregate("p", 1)]))
    await host.store._heartbeat.once()


async def look(host) -> tuple[list[str], str]:
    """The silent instances of `/health/db`, and what it says to a person."""
    await host.store._heartbeat.once()
    health = await host.store.health()
    assert health.reachable
    return health.figures["silent_instances"], health.detail


async def test_one_that_is_gone_is_told_until_it_comes_back(
    make_sink, database: asyncpg.Connection, tmp_path: Path, caplog
) -> None:
    gone, watching = make_sink(), make_sink()
    async with hosted(watching, tmp_path / "b", "watching") as host:
        async with hosted(gone, tmp_path / "a", "gone") as lost:
            await store_one(gone, lost, "gone")
            await store_one(watching, host, "watching")
            gone._store.trying_since = 1  # its last flush was not stored: no clean stop
        assert await heard(database, "gone") == (True, False)
        assert await look(host) == ([], "")
        await database.execute(LATER)
        silent, detail = await look(host)
        assert silent == ["gone"], "the one that looks has just said that it is there"
        assert "instance gone is silent since" in detail
        assert "log-aggregator postgres adopt gone" in detail
        assert host.figures["postgres"]() == {"silent_instances": 1}
        await look(host)
        assert [record.levelname for record in caplog.records if "is silent" in record.message] == ["ERROR"], "once"
        async with hosted(make_sink(), tmp_path / "a", "gone") as back:
            await back.store._heartbeat.once()
            assert await look(host) == ([], "")


async def test_one_that_stopped_cleanly_is_never_silent(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    async with hosted(make_sink(), tmp_path / "b", "watching") as host:
        sink = make_sink()
        async with hosted(sink, tmp_path / "a", "stopped") as other:
            await store_one(sink, other, "stopped")
        assert await heard(database, "stopped") == (True, True)
        await database.execute(LATER)
        assert await look(host) == ([], "")


async def test_one_without_heartbeats_is_not_judged(make_sink, database: asyncpg.Connection, tmp_path: Path) -> None:
    watching = make_sink()
    async with hosted(watching, tmp_path / "b", "watching") as host:
        await store_one(watching, host, "watching")
        await database.execute(
            "INSERT INTO flush_progress (instance, epoch, sequence, sealed, stored_at) "
            "VALUES ('old', 1, 1, now(), now() - interval '1 day')"
        )
        assert await look(host) == ([], "")


async def test_with_zero_minutes_nothing_is_looked_for(make_sink, database: asyncpg.Connection, tmp_path: Path) -> None:
    sink = make_sink(silent_minutes=0)
    async with hosted(sink, tmp_path, "watching") as host:
        await store_one(sink, host, "watching")
        await database.execute("UPDATE flush_progress SET instance = 'gone', heard_at = now() - interval '1 day'")
        assert await look(host) == ([], "")


async def test_it_says_so_by_itself(make_sink, database: asyncpg.Connection, tmp_path: Path) -> None:
    sink = make_sink(silent_minutes=1)
    async with hosted(sink, tmp_path, "there") as host:
        await deliver(sink, Chain("there").flush([aggregate("p", 1)]))
        host.store._heartbeat.silent = []
        async with hosted(make_sink(), tmp_path / "again", "there"):  # its first heartbeat comes at the start
            await eventually(lambda: heard(database, "there"), (True, False))


async def test_a_stop_without_the_server_takes_two_seconds_at_most(make_sink, caplog) -> None:
    pool = Pool(make_sink(dsn="postgresql://postgres@127.0.0.1:9/postgres")._config)
    await Heartbeat(pool, "i", 15).stop()
    assert "a clean stop could not be noted" in caplog.text
    with pytest.raises((OSError, RetryableError)):
        await Heartbeat(pool, "i", 15).once()
    await pool.close()

"""A flush is stored once: replays, fences, copies of a data directory, writers side by side."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import msgspec
import pytest

from log_aggregator import RetryableError
from log_aggregator.sinks import FencedError, Position
from log_aggregator_postgres import PostgresSink
from log_aggregator_postgres.commands import main as command
from tests.support.sinks import Chain, Host, aggregate, deliver, hosted, total


async def test_a_flush_that_comes_again_is_counted_once(sink: PostgresSink, host: Host) -> None:
    flush = Chain().flush([aggregate(count=3)])
    for _ in range(3):
        await deliver(sink, flush)
    assert await total(host.store) == 3


async def test_a_flush_is_counted_once_over_a_restart(make_sink, tmp_path: Path) -> None:
    flush = Chain().flush([aggregate(count=3)])
    for _ in range(2):
        sink = make_sink()
        async with hosted(sink, tmp_path) as host:
            await deliver(sink, flush)
            assert await total(host.store) == 3


async def test_the_second_of_two_copies_of_a_data_directory_is_fenced(make_sink, tmp_path: Path) -> None:
    chain = Chain()
    original, copy = make_sink(), make_sink()
    async with hosted(original, tmp_path) as host, hosted(copy, tmp_path):
        await deliver(original, chain.flush([aggregate(count=1)]))
        copied = Chain()
        copied.previous, copied.sequence, copied.epoch = chain.previous, chain.sequence, 8
        await deliver(original, chain.flush([aggregate(count=10)]))
        with pytest.raises(FencedError, match="another service went on from a copy"):
            await deliver(copy, copied.flush([aggregate(count=100)]))
        await deliver(original, chain.flush([aggregate(count=1000)]))
        assert await total(host.store) == 1011


async def test_a_hot_copy_within_one_epoch_is_fenced(make_sink, tmp_path: Path) -> None:
    """Both went on from the same flush with the same epoch and sequence, but other logs."""
    chain, copied = Chain(), Chain(epoch=9)
    original, copy = make_sink(), make_sink()
    async with hosted(original, tmp_path) as host, hosted(copy, tmp_path):
        first = chain.flush([aggregate(count=1)])
        copied.sequence, copied.previous = 1, first.position
        await deliver(original, first)
        outcomes = await asyncio.gather(
            deliver(original, chain.flush([aggregate(count=10)])),
            deliver(copy, copied.flush([aggregate(count=10)])),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [FencedError]
        assert await total(host.store) == 11


async def test_a_lane_that_gave_up_flushes_may_go_on(sink: PostgresSink, host: Host) -> None:
    chain = Chain()
    await deliver(sink, chain.flush([aggregate(count=1)]))
    chain.flush([aggregate(count=10)])
    went_on = msgspec.structs.replace(chain.flush([aggregate(count=100)]), previous=None)
    for _ in range(2):
        await deliver(sink, went_on)
    assert await total(host.store) == 101


async def test_a_store_that_was_rewound_fences_until_a_person_adopts(
    sink: PostgresSink,
    host: Host,
    postgres_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chain = Chain()
    chain.previous, chain.sequence = Position(7, 41), 41
    await deliver(sink, chain.flush([aggregate(count=1)]))
    chain.flush()
    lost = chain.flush([aggregate(count=10)])
    with pytest.raises(FencedError):
        await deliver(sink, lost)
    monkeypatch.setenv("PLUGINS_FILE", "/nowhere/plugins.toml")
    monkeypatch.setattr("log_aggregator_postgres.commands.PostgresConfig", lambda: sink._config)
    assert await asyncio.to_thread(command, ["progress"]) == 0
    assert "instance\t7-42" in capsys.readouterr().out
    assert await asyncio.to_thread(command, ["adopt", "instance"]) == 0
    assert await asyncio.to_thread(command, ["adopt", "unknown"]) == 1
    await deliver(sink, lost)
    assert await total(host.store) == 11


async def test_a_connection_cut_by_an_administrator_is_survived(
    sink: PostgresSink, host: Host, database: asyncpg.Connection
) -> None:
    chain = Chain()
    for _ in range(20):
        delivery = asyncio.create_task(deliver(sink, chain.flush([aggregate(f"{n}", 1) for n in range(200)])))
        await asyncio.sleep(0.004)
        await database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await delivery
    async with asyncio.timeout(30):
        while True:
            try:
                assert await total(host.store) == chain.sent
            except RetryableError:  # a reader was given one of the connections that were cut: it asks again
                await asyncio.sleep(0.05)
            else:
                break


async def test_an_attempt_that_is_cancelled_is_safe_to_repeat(sink: PostgresSink, host: Host) -> None:
    """The lane cancels an attempt at its deadline: here at any moment of it."""
    chain = Chain()
    for n in range(40):
        flush = chain.flush([aggregate(f"{i}", 1) for i in range(100)])
        attempt = asyncio.create_task(sink.on_flush(flush))
        await asyncio.wait([attempt], timeout=0.001 * n)
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
        await deliver(sink, flush)
    assert await total(host.store) == chain.sent

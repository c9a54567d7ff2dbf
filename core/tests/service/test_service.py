"""The rooms together, without HTTP: nothing acknowledged is lost or counted twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.tests.made import Store, crashing
from log_aggregator import Batch, ConfigError, Record
from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.errors import KeyReusedError, OverloadedError
from log_aggregator.hookspecs import Service as PluginContext
from log_aggregator.service.service import Service
from log_aggregator.sinks import Alias, Anomaly

Make = Callable[..., Record]


async def test_what_is_taken_is_stored_after_a_flush(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start() as service:
        receipt = await service.take([record(pattern="a"), record(pattern="b"), record(pattern="a")])
        assert (receipt.accepted, receipt.rejected, receipt.duplicate, receipt.durable) == (3, [], False, True)
        outcome = await service.flush(20)
        assert outcome == {"groups": 2, "sealed": True, "sinks": {"store": {"outcome": "stored"}}}
    assert store.counts == {"a": 2, "b": 1}


async def test_leaving_drains(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start(batch_size=10_000) as service:
        await service.take([record() for _ in range(77)])
    assert store.total == 77


async def test_ten_logs_are_flushed_without_waiting_for_the_window(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    async with start(aggregation_window=3600) as service:
        await service.take([record() for _ in range(10)])
        async with asyncio.timeout(20):
            while store.total < 10:
                await asyncio.sleep(0.01)


async def test_the_window_flushes_what_is_less(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start(aggregation_window=0.05) as service:
        await service.take([record()])
        async with asyncio.timeout(20):
            while store.total < 1:
                await asyncio.sleep(0.01)


async def test_under_load_flushes_grow(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start() as service:
        for _ in range(50):
            await asyncio.gather(*(service.take([record() for _ in range(20)]) for _ in range(20)))
    assert store.total == 20_000
    assert len(store.flushes) < 200


async def test_a_key_counts_once_also_over_a_restart(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with crashing(start()) as service:
        first = await asyncio.gather(*(service.take([record()] * 2, key="k", digest=b"d") for _ in range(5)))
        assert sorted(receipt.duplicate for receipt in first) == [False, True, True, True, True]
    async with start() as service:
        again = await service.take([record()] * 2, key="k", digest=b"d")
        assert (again.duplicate, again.accepted) == (True, 2)
        with pytest.raises(KeyReusedError):
            await service.take([record()], key="k", digest=b"other")
    assert store.total == 2


async def test_memory_durability_says_so_and_works(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start(durability="memory") as service:
        assert not (await service.take([record()])).durable
        keyed = [await service.take([record()], key="k", digest=b"d") for _ in range(2)]
        assert [receipt.duplicate for receipt in keyed] == [False, True]
    assert store.total == 2


async def test_beyond_the_queue_nothing_is_accepted(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start(queue_max_records=1000) as service:
        outcomes = await asyncio.gather(
            *(service.take([record() for _ in range(400)]) for _ in range(10)), return_exceptions=True
        )
        accepted = [outcome.accepted for outcome in outcomes if not isinstance(outcome, BaseException)]
        assert all(isinstance(o, OverloadedError) for o in outcomes if isinstance(o, BaseException))
        assert 0 < len(accepted) < 10
    assert store.total == sum(accepted)


async def test_a_full_journal_refuses_and_says_why(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start() as service:
        service.door.journal_bytes = service.settings.journal_max_bytes + 1
        with pytest.raises(OverloadedError, match="journal is full"):
            await service.take([record()])
        health = await service.health()
        assert (health.status, health.accepting) == ("unhealthy", False)


async def test_a_full_disk_is_seen_in_health_until_it_is_mended(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    async with start() as service:
        refusing = {"first": "INSERT ON intake", "second": "UPDATE ON meta"}
        for name, write in refusing.items():
            trigger = f"CREATE TEMP TRIGGER {name} BEFORE {write} BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
            await service.writer.submit(lambda c, trigger=trigger: c.execute(trigger))
        with pytest.raises(OverloadedError, match="the journal cannot be written"):
            await service.take([record()])
        for _ in range(2):
            health = await service.health()
            assert (health.status, health.accepting) == ("unhealthy", False)
            assert "the journal cannot be written" in health.checks["journal"]["detail"]
        for name in refusing:
            await service.writer.submit(lambda c, name=name: c.execute(f"DROP TRIGGER {name}"))
        health = await service.health()
        assert health.accepting
        assert health.checks["journal"]["ok"]
        await service.take([record()])
    assert store.total == 1


async def test_refused_records_are_named_by_index(start: Callable[..., Service], store: Store, record: Make) -> None:
    class Guard:
        def on_ingest(self, batch: Batch) -> None:
            for item in batch:
                if item.level == "DEBUG":
                    batch.reject(item, "no debug logs")

    async with start(Guard()) as service:
        receipt = await service.take([record(), record(level="DEBUG"), record(), record(level="DEBUG")])
        assert (receipt.accepted, receipt.rejected) == (2, [(1, "no debug logs"), (3, "no debug logs")])
    assert store.total == 2


async def test_events_ride_on_the_next_flush_once(start: Callable[..., Service], store: Store, record: Make) -> None:
    handles: list[PluginContext] = []

    class Watcher:
        @asynccontextmanager
        async def lifespan(self, service: PluginContext) -> AsyncIterator[None]:
            handles.append(service)
            yield

    anomaly = Anomaly("a1", "spike", "open", "recorded", "", "", "", "app", 1, 1, 0.9)
    async with start(Watcher(), aggregation_window=0.02) as service:
        await service.take([record(pattern="old")])
        handles[0].emit(Alias("0" * 16, "new", 5))
        handles[0].emit(anomaly)
        await service.flush(20)
        assert [alias for f in store.flushes for alias in f.aliases] == [Alias("0" * 16, "new", 5)]
        handles[0].emit(Anomaly("a1", "spike", "resolved", "recorded", "", "", "", "app", 1, 2, 0.9, revision=1))
        async with asyncio.timeout(20):
            while len([a for f in store.flushes for a in f.anomalies]) < 2:
                await asyncio.sleep(0.01)
    assert [a.state for f in store.flushes for a in f.anomalies] == ["open", "resolved"]


async def test_a_plugin_can_be_a_source(start: Callable[..., Service], store: Store, record: Make) -> None:
    class Source:
        @asynccontextmanager
        async def lifespan(self, service: PluginContext) -> AsyncIterator[None]:
            self.service = service
            yield

    source = Source()
    async with start(source):
        assert await source.service.ingest([record(), record()]) == 2
    assert store.total == 2


async def test_a_lifespan_that_raises_stops_the_start_and_frees_the_directory(
    start: Callable[..., Service], store: Store
) -> None:
    class Broken:
        @asynccontextmanager
        async def lifespan(self, service: PluginContext) -> AsyncIterator[None]:
            raise ConfigError("no")
            yield

    with pytest.raises(ConfigError, match="no"):
        async with start(Broken()):
            pass
    async with start():
        pass


async def test_stats_add_up(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start() as service:
        await service.take([record(level="ERROR", source="db"), record(), record()])
        await service.flush(20)
        stats = await service.stats()
    assert stats["logs"]["accepted"] == stats["logs"]["aggregated"] == 3
    assert stats["logs"]["by_level"] == {"ERROR": 1, "INFO": 2}
    assert stats["logs"]["errors_by_source"] == {"db": 1}
    assert stats["aggregation"]["logs_per_row"] == 1.5
    assert stats["sinks"]["store"]["state"] == "stored"


async def test_large_texts_are_sealed_before_they_fill_the_memory(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    async with start(aggregation_window=3600, batch_size=10**9, max_buffer_bytes=2**20) as service:
        for number in range(40):
            await service.take([record("x" * 16_000 + f" {number} {index}") for index in range(10)])
        async with asyncio.timeout(20):
            while not store.flushes:
                await asyncio.sleep(0.01)
        assert service.pipeline.gathered_bytes < 4 * 2**20
    assert store.total == 400


async def test_others_have_their_turn_while_a_large_flush_is_made(
    start: Callable[..., Service], store: Store, record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_in: Counter[int] = Counter()
    turn = 0
    make = Accumulators._aggregate

    def noted(*what: Any) -> Any:
        made_in[turn] += 1
        return make(*what)

    monkeypatch.setattr("log_aggregator.aggregation.aggregator.MADE_AT_ONCE", 10)
    monkeypatch.setattr(Accumulators, "_aggregate", noted)
    async with start(aggregation_window=3600, batch_size=10_000) as service:
        await service.take([record(f"m{n}", pattern=f"p{n}") for n in range(500)])
        await service.pipeline.drained()
        flushing = asyncio.create_task(service.flush(20))
        while not flushing.done():
            await asyncio.sleep(0)
            turn += 1
    assert set(made_in.values()) == {10}
    assert store.total == 500

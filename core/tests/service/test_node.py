"""After a crash or an outage: nothing acknowledged is lost or counted twice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from core.tests.made import Store, crashing
from log_aggregator import Record
from log_aggregator.hookspecs import Service as PluginContext
from log_aggregator.service.service import Service

Make = Callable[..., Record]


async def test_a_crash_before_the_seal_loses_nothing(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with crashing(start(batch_size=10_000)) as service:
        await service.submit([record(pattern="kept") for _ in range(25)])
    assert store.total == 0
    async with start():
        pass
    assert store.counts == {"kept": 25}


async def test_a_crash_after_the_seal_counts_nothing_twice(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    for _ in range(3):
        async with crashing(start()) as service:
            await service.submit([record() for _ in range(25)])
            await service.flush(20)
            await service.submit([record() for _ in range(5)])
    async with start():
        pass
    assert store.total == 90


async def test_an_outage_is_caught_up_and_costs_little_space(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    store.away = True
    async with start(aggregation_window=0.005) as service:
        for number in range(60):
            await service.submit([record(pattern=f"p{number % 3}")])
            await asyncio.sleep(0.006)
        assert service.runtime.lanes[0].state == "retrying"
        assert (await service.health()).status == "degraded"
        assert (await service.runtime.lanes[0].waiting()).flushes < 40
        store.away = False
        await service.flush(20)
        assert (await service.health()).status == "healthy"
    assert store.total == 60


async def test_what_gathered_in_an_outage_is_stored_as_soon_as_it_is_over(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    """The time that the sink was away is no cost of a flush: an hour's outage does not put the next one off."""
    store.away = True
    async with start(batch_size=10, aggregation_window=3600.0) as service:
        await service.submit([record() for _ in range(10)])
        async with asyncio.timeout(20):
            while not service.runtime.lanes[0].errors:
                await asyncio.sleep(0.005)
        await service.submit([record() for _ in range(10)])
        await service.runtime.aggregator.drained()
        service.runtime.sealer._sealed_at -= 3000.0  # as if the outage had begun that much earlier
        store.away = False
        async with asyncio.timeout(30):
            while store.total < 20:
                await asyncio.sleep(0.005)


async def test_a_flush_that_nobody_waits_for_ends_the_pause_all_the_same(
    start: Callable[..., Service], store: Store, record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("log_aggregator.delivery.lane.FIRST_PAUSE", 1000.0)
    monkeypatch.setattr("log_aggregator.delivery.lane.LONGEST_PAUSE", 1000.0)
    store.away = True
    async with start(batch_size=10) as service:
        await service.submit([record() for _ in range(10)])
        async with asyncio.timeout(20):
            while not service.runtime.lanes[0].pause:
                await asyncio.sleep(0.005)
        store.away = False
        await service.flush(0)
        async with asyncio.timeout(30):
            while store.total < 10:
                await asyncio.sleep(0.005)


async def test_stopping_while_the_store_is_away_is_quick_and_keeps_everything(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    store.away = True
    service = start()
    async with service:
        await service.submit([record() for _ in range(30)])
        began = time.monotonic()
    assert time.monotonic() - began < service.settings.shutdown_timeout
    store.away = False
    async with start():
        pass
    assert store.total == 30


async def test_what_comes_in_during_the_replay_does_not_overtake_it(
    start: Callable[..., Service], store: Store, record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new record's position would trim what has not been replayed, and its own row would be replayed too."""
    monkeypatch.setattr("log_aggregator.service.partitions.local.REPLAY_ROWS", 1)
    async with crashing(start(batch_size=10**9)) as service:
        for number in range(30):
            await service.submit([record(pattern=f"old {number}")])

    class Source:
        @asynccontextmanager
        async def lifespan(self, service: PluginContext) -> AsyncIterator[None]:
            async def feed() -> None:
                for number in range(30):
                    await service.ingest([record(pattern=f"new {number}")])

            self.task = asyncio.create_task(feed())
            yield
            await self.task

    source = Source()
    async with start(source, batch_size=1, aggregation_window=0.001):
        await source.task
    async with start():
        pass
    assert store.counts == Counter(f"{age} {number}" for age in ("old", "new") for number in range(30))

"""When a running service seals, and what a flush holds."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.tests.made import Store
from log_aggregator import Record
from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.hookspecs import Service as PluginContext
from log_aggregator.service.service import Service
from log_aggregator.sinks import Alias, Anomaly

Make = Callable[..., Record]


async def test_large_texts_are_sealed_before_they_fill_the_memory(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    async with start(aggregation_window=3600, batch_size=10**9, max_buffer_bytes=2**20) as service:
        for number in range(40):
            await service.submit([record("x" * 16_000 + f" {number} {index}") for index in range(10)])
        async with asyncio.timeout(20):
            while not store.flushes:
                await asyncio.sleep(0.01)
        assert service.runtime.accumulators.bytes < 4 * 2**20
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

    monkeypatch.setattr("log_aggregator.aggregation.aggregator.MADE_AT_ONCE", -1.0)
    monkeypatch.setattr(Accumulators, "_aggregate", noted)
    async with start(aggregation_window=3600, batch_size=10_000) as service:
        await service.submit([record(f"m{n}", pattern=f"p{n}") for n in range(500)])
        await service.runtime.aggregator.drained()
        flushing = asyncio.create_task(service.flush(20))
        while not flushing.done():
            await asyncio.sleep(0)
            turn += 1
    assert set(made_in.values()) == {1}
    assert store.total == 500


async def test_others_have_their_turn_while_a_large_batch_is_added(
    start: Callable[..., Service], record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    added_in: Counter[int] = Counter()
    turn = 0
    add = Accumulators.add

    def noted(accumulators: Accumulators, partials: list[Any]) -> None:
        added_in[turn] += len(partials)
        add(accumulators, partials)

    monkeypatch.setattr("log_aggregator.aggregation.aggregator.ACCUMULATE_AT_ONCE", -1.0)
    monkeypatch.setattr(Accumulators, "add", noted)
    async with start(aggregation_window=3600, batch_size=10_000) as service:
        submitting = asyncio.create_task(service.submit([record(f"m{n}", pattern=f"p{n}") for n in range(500)]))
        while not submitting.done() or service.runtime.aggregator.queued:
            await asyncio.sleep(0)
            turn += 1
        await submitting
    assert sum(added_in.values()) == 500
    assert max(added_in.values()) <= 64


async def test_events_ride_on_the_next_flush_once(start: Callable[..., Service], store: Store, record: Make) -> None:
    handles: list[PluginContext] = []

    class Watcher:
        @asynccontextmanager
        async def lifespan(self, service: PluginContext) -> AsyncIterator[None]:
            handles.append(service)
            yield

    anomaly = Anomaly("a1", "spike", "open", "recorded", "", "", "", "app", 1, 1, 0.9)
    async with start(Watcher(), aggregation_window=0.02) as service:
        await service.submit([record(pattern="old")])
        handles[0].emit(Alias("0" * 16, "new", 5))
        handles[0].emit(anomaly)
        await service.flush(20)
        assert [alias for f in store.flushes for alias in f.aliases] == [Alias("0" * 16, "new", 5)]
        handles[0].emit(Anomaly("a1", "spike", "resolved", "recorded", "", "", "", "app", 1, 2, 0.9, revision=1))
        async with asyncio.timeout(20):
            while len([a for f in store.flushes for a in f.anomalies]) < 2:
                await asyncio.sleep(0.01)
    assert [a.state for f in store.flushes for a in f.anomalies] == ["open", "resolved"]


async def test_under_load_flushes_grow(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start() as service:
        for _ in range(50):
            await asyncio.gather(*(service.submit([record() for _ in range(20)]) for _ in range(20)))
    assert store.total == 20_000
    assert len(store.flushes) < 200


async def test_ten_logs_are_flushed_without_waiting_for_the_window(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    async with start(aggregation_window=3600) as service:
        await service.submit([record() for _ in range(10)])
        async with asyncio.timeout(20):
            while store.total < 10:
                await asyncio.sleep(0.01)


async def test_the_window_flushes_what_is_less(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start(aggregation_window=0.05) as service:
        await service.submit([record()])
        async with asyncio.timeout(20):
            while store.total < 1:
                await asyncio.sleep(0.01)

"""A whole service without HTTP: nothing acknowledged is lost or counted twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from core.tests.made import Store, crashing
from log_aggregator import Batch, ConfigError, Record
from log_aggregator.errors import KeyReusedError, OverloadedError
from log_aggregator.hookspecs import Service as PluginContext
from log_aggregator.service.service import Service

Make = Callable[..., Record]


async def test_what_is_taken_is_stored_after_a_flush(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start() as service:
        receipt = await service.submit([record(pattern="a"), record(pattern="b"), record(pattern="a")])
        assert (receipt.accepted, receipt.rejected, receipt.duplicate, receipt.durable) == (3, [], False, True)
        outcome = await service.flush(20)
        assert outcome == {"groups": 2, "sealed": True, "sinks": {"store": {"outcome": "stored"}}}
    assert store.counts == {"a": 2, "b": 1}


async def test_leaving_drains(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start(batch_size=10_000) as service:
        await service.submit([record() for _ in range(77)])
    assert store.total == 77


async def test_a_key_counts_once_also_over_a_restart(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with crashing(start()) as service:
        first = await asyncio.gather(*(service.submit([record()] * 2, key="k", digest=b"d") for _ in range(5)))
        assert sorted(receipt.duplicate for receipt in first) == [False, True, True, True, True]
    async with start() as service:
        again = await service.submit([record()] * 2, key="k", digest=b"d")
        assert (again.duplicate, again.accepted) == (True, 2)
        with pytest.raises(KeyReusedError):
            await service.submit([record()], key="k", digest=b"other")
    assert store.total == 2


async def test_memory_durability_says_so_and_works(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start(durability="memory") as service:
        assert not (await service.submit([record()])).durable
        keyed = [await service.submit([record()], key="k", digest=b"d") for _ in range(2)]
        assert [receipt.duplicate for receipt in keyed] == [False, True]
    assert store.total == 2


async def test_beyond_the_queue_nothing_is_accepted(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start(queue_max_records=1000) as service:
        outcomes = await asyncio.gather(
            *(service.submit([record() for _ in range(400)]) for _ in range(10)), return_exceptions=True
        )
        accepted = [outcome.accepted for outcome in outcomes if not isinstance(outcome, BaseException)]
        assert all(isinstance(o, OverloadedError) for o in outcomes if isinstance(o, BaseException))
        assert 0 < len(accepted) < 10
    assert store.total == sum(accepted)


async def test_refused_records_are_named_by_index(start: Callable[..., Service], store: Store, record: Make) -> None:
    class Guard:
        def on_ingest(self, batch: Batch) -> None:
            for item in batch:
                if item.level == "DEBUG":
                    batch.reject(item, "no debug logs")

    async with start(Guard()) as service:
        receipt = await service.submit([record(), record(level="DEBUG"), record(), record(level="DEBUG")])
        assert (receipt.accepted, receipt.rejected) == (2, [(1, "no debug logs"), (3, "no debug logs")])
    assert store.total == 2


async def test_a_plugin_can_be_a_source(start: Callable[..., Service], store: Store, record: Make) -> None:
    class Source:
        @asynccontextmanager
        async def lifespan(self, service: PluginContext) -> AsyncIterator[None]:
            self.service = service
            yield

    source = Source()
    async with start(source):
        assert (await source.service.ingest([record(), record()])).accepted == 2
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

"""A store without a fault, the scaffold's, and stores with one named fault each and the check that must find it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from log_aggregator import RetryableError, Service, hookimpl
from log_aggregator.sinks import Flush
from log_aggregator.store import StoreHealth
from packages.dev.tests.scaffolded import scaffolded

_Kept: Any = scaffolded("store", "kept").Kept


class GoodStore(_Kept):  # type: ignore[misc]  # made at run time
    """The scaffold's store, whose disk can be taken away."""

    def __init__(self, directory: Path) -> None:
        super().__init__(_Kept.Config(path=directory / "kept.flushes"))
        self.down = directory / "down"

    async def _locked(self, work: Any) -> Any:
        if self.down.exists():
            raise RetryableError("the disk is away")
        return await super()._locked(work)


class HasNoTags(GoodStore):
    finds = "test_patterns_have_their_totals"

    async def patterns(self, query: Any) -> Any:
        page = await super().patterns(query)
        return page.model_copy(update={"patterns": [row.model_copy(update={"tags": {}}) for row in page.patterns]})


class IgnoresLevels(GoodStore):
    finds = "test_filters_select_patterns"

    async def patterns(self, query: Any) -> Any:
        return await super().patterns(query.model_copy(update={"level": None}))


class IgnoresUntil(GoodStore):
    finds = "test_times_select_patterns"

    async def patterns(self, query: Any) -> Any:
        return await super().patterns(query.model_copy(update={"until": None}))


class RepeatsTheFirstPage(GoodStore):
    finds = "test_pages_fit_together"

    async def patterns(self, query: Any) -> Any:
        return await super().patterns(query.model_copy(update={"cursor": None}))


class StoresNoMetadata(GoodStore):
    finds = "test_a_pattern_has_its_details"

    def _keep(self, flush: Flush) -> None:
        rows = tuple(msgspec.structs.replace(row, metadata={}) for row in flush.aggregates)
        super()._keep(msgspec.structs.replace(flush, aggregates=rows))


class StoresNoMetadataAsASink(StoresNoMetadata):
    finds = "test_a_store_gives_back_what_was_stored"


class HasEmptySeries(GoodStore):
    finds = "test_series_count_over_time"

    async def series(self, query: Any) -> Any:
        return [one.model_copy(update={"points": []}) for one in await super().series(query)]


class KnowsNoMinutes(GoodStore):
    finds = "test_series_know_minutes"

    def _keep(self, flush: Flush) -> None:
        rows = tuple(msgspec.structs.replace(row, minutes=()) for row in flush.aggregates)
        super()._keep(msgspec.structs.replace(flush, aggregates=rows))


class DropsAliases(GoodStore):
    finds = "test_aliases_are_applied"

    def _keep(self, flush: Flush) -> None:
        super()._keep(msgspec.structs.replace(flush, aliases=()))


class DropsAnomalies(GoodStore):
    finds = "test_anomalies_are_kept"

    def _keep(self, flush: Flush) -> None:
        super()._keep(msgspec.structs.replace(flush, anomalies=()))


class TellsOfOtherSources(GoodStore):
    finds = "test_sources_limit_every_answer"

    async def series(self, query: Any) -> Any:
        return await super().series(query.model_copy(update={"sources": ()}))


class KeepsAnomaliesInMemory(GoodStore):
    finds = "test_answers_outlive_the_store"

    def _write(self, flush: Flush) -> None:
        super()._write(msgspec.structs.replace(flush, anomalies=()))


class RaisesWhenEmpty(GoodStore):
    finds = "test_an_empty_store_answers"

    async def patterns(self, query: Any) -> Any:
        page = await super().patterns(query)
        max(row.count for row in page.patterns)
        return page


class IsNotRegistered(GoodStore):
    finds = "test_the_service_reads_it"

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        yield
        self._close()


class RaisesInHealth(GoodStore):
    finds = "test_an_outage_is_told"

    async def health(self) -> StoreHealth:
        await self._locked(lambda: None)
        return StoreHealth(reachable=True)


BROKEN_STORES: list[Any] = [
    HasNoTags, IgnoresLevels, IgnoresUntil, RepeatsTheFirstPage, StoresNoMetadata, StoresNoMetadataAsASink,
    HasEmptySeries, KnowsNoMinutes, DropsAliases, DropsAnomalies, TellsOfOtherSources, KeepsAnomaliesInMemory,
    RaisesWhenEmpty, IsNotRegistered, RaisesInHealth,
]  # fmt: skip

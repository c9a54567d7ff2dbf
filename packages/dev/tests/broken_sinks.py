"""Sinks with one named fault each, and the check of the suite that must find it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from log_aggregator import Service, hookimpl
from log_aggregator.sinks import Flush, PermanentError, Position
from packages.dev.tests.good import GoodSink


class DropsTheLastRow(GoodSink):
    finds = "test_a_flush_is_stored_whole"

    def add(self, counts: dict[str, int], flush: Flush) -> None:
        for aggregate in flush.aggregates[:-1] or flush.aggregates:
            counts[aggregate.pattern] = counts.get(aggregate.pattern, 0) + aggregate.count


class ReplacesCounts(GoodSink):
    finds = "test_flushes_add_up"

    def add(self, counts: dict[str, int], flush: Flush) -> None:
        counts.update({aggregate.pattern: aggregate.count for aggregate in flush.aggregates})


class NeedsARow(GoodSink):
    finds = "test_an_empty_flush_is_taken"

    def add(self, counts: dict[str, int], flush: Flush) -> None:
        max(aggregate.last_seen for aggregate in flush.aggregates)
        super().add(counts, flush)


class StoresAThousand(GoodSink):
    finds = "test_a_huge_flush_is_stored"

    def add(self, counts: dict[str, int], flush: Flush) -> None:
        for aggregate in flush.aggregates[:1000]:
            counts[aggregate.pattern] = counts.get(aggregate.pattern, 0) + aggregate.count


class SkipsWhatIsHard(GoodSink):
    finds = "test_hostile_text_costs_no_log"

    def add(self, counts: dict[str, int], flush: Flush) -> None:
        for aggregate in flush.aggregates:
            if "\x00" not in aggregate.pattern and aggregate.count < 2**31:
                counts[aggregate.pattern] = counts.get(aggregate.pattern, 0) + aggregate.count


class ChangesTheFlush(GoodSink):
    finds = "test_the_flush_is_left_as_it_was"

    def add(self, counts: dict[str, int], flush: Flush) -> None:
        for aggregate in flush.aggregates:
            aggregate.tags.clear()
        super().add(counts, flush)


class Blocks(GoodSink):
    finds = "test_the_loop_is_not_held_up"

    def add(self, counts: dict[str, int], flush: Flush) -> None:
        if len(flush.aggregates) >= 2_000:
            time.sleep(0.7)
        super().add(counts, flush)


class IsNeverCalled(GoodSink):
    finds = "test_it_works_inside_the_service"

    async def on_flush(self, flush: Flush) -> None:
        await GoodSink.on_flush(self, flush)


class CountsTwice(GoodSink):
    finds = "test_a_repeated_flush_counts_once"

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        state = await self.load()
        self.add(state["counts"], flush)
        await self.save(state)


class RemembersInMemory(GoodSink):
    finds = "test_an_unknown_commit_is_decided_after_a_restart"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.progress: dict[str, Any] = {}

    async def load(self) -> dict[str, Any]:
        return {**await super().load(), "progress": self.progress}


class StoresInTwoSteps(GoodSink):
    finds = "test_stopped_anywhere_it_counts_once"

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        state = await self.load()
        known = state["progress"].get(flush.instance)
        if flush.is_stored(Position(*known) if known else None):
            return
        self.add(state["counts"], flush)
        await self.save(state)
        state["progress"][flush.instance] = list(flush.position)
        await self.save(state)


class KnowsTheLastOnly(GoodSink):
    finds = "test_an_old_flush_changes_nothing"

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        state = await self.load()
        if state["progress"].get(flush.instance) == list(flush.position):
            return
        self.add(state["counts"], flush)
        state["progress"][flush.instance] = list(flush.position)
        await self.save(state)


class KnowsEveryFlush(GoodSink):
    finds = "test_a_foreign_continuation_is_refused"

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        state = await self.load()
        if flush.identity in state["progress"]:
            return
        self.add(state["counts"], flush)
        state["progress"][flush.identity] = True
        await self.save(state)


class KnowsOneInstance(GoodSink):
    finds = "test_instances_do_not_mix"

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        state = await self.load()
        known = state["progress"].get("all")
        if known and flush.position.sequence <= known[1]:
            return
        self.add(state["counts"], flush)
        state["progress"]["all"] = list(flush.position)
        await self.save(state)


class KnowsOneEpoch(GoodSink):
    finds = "test_a_restart_of_the_service_continues"

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        state = await self.load()
        known = state["progress"].get(flush.instance)
        if known and known[0] != flush.position.epoch:
            raise PermanentError("another epoch")
        await super().on_flush(flush)


class WantsNoGap(GoodSink):
    finds = "test_a_gap_is_taken"

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        if flush.previous is None:
            raise PermanentError("a gap")
        await super().on_flush(flush)


class KeepsTheLock(GoodSink):
    finds = "test_cancelling_ends_soon_and_harms_nothing"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.lock = asyncio.Lock()

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        await self.lock.acquire()
        await super().on_flush(flush)
        self.lock.release()


class LeavesATask(GoodSink):
    finds = "test_closing_leaves_nothing_running"

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        self.task = asyncio.create_task(asyncio.Event().wait())
        yield


class ReturnsTooEarly(GoodSink):
    finds = "test_what_is_stored_outlives_the_sink"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.state: dict[str, Any] = {"counts": {}, "progress": {}}

    async def load(self) -> dict[str, Any]:
        await super().load()
        return self.state

    async def save(self, state: dict[str, Any]) -> None:
        await asyncio.sleep(0)


class GivesUpInAnOutage(GoodSink):
    finds = "test_an_outage_is_retryable"

    async def load(self) -> dict[str, Any]:
        if self.down.exists():
            raise PermanentError("no connection")
        return await super().load()


class NeedsTheStoreToStart(GoodSink):
    finds = "test_it_starts_during_an_outage"

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        await self.load()
        yield


BROKEN: list[Any] = [cls for cls in GoodSink.__subclasses__() if cls.__module__ == __name__]

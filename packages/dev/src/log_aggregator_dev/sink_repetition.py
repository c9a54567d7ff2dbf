"""Checks of a sink: a flush that comes again, late or after a restart counts once; a wrong one is refused."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any

import msgspec

from log_aggregator.errors import PermanentError
from log_aggregator_dev.factories import Flushes, make_aggregate
from log_aggregator_dev.sink_suite import NotSupported, OpenSink, SinkSuite

_MOST_STEPS = 25


class RepetitionChecks(SinkSuite):
    """Part of `SinkContract`."""

    def test_a_repeated_flush_counts_once(self, tmp_path: Path) -> None:
        """The lane repeats a flush when it did not hear that it was stored."""

        async def scenario() -> None:
            flushes = Flushes()
            first, second = flushes.next([make_aggregate("p", 1)]), flushes.next([make_aggregate("p", 10)])
            async with self.opened(tmp_path) as opened:
                for flush in (first, first, second, second, second):
                    await opened.store(flush)
                self.assert_count((await self.read_back(opened)).get("p", 0), 11, "a repeated flush")

        self.check(tmp_path, scenario)

    def test_an_unknown_commit_is_decided_after_a_restart(self, tmp_path: Path) -> None:
        """The service died between the store's commit and its own note of it: it delivers again, after a restart."""

        async def scenario() -> None:
            flush = Flushes().next([make_aggregate("p", 7)])
            for _ in range(3):
                async with self.opened(tmp_path) as opened:
                    await opened.store(flush)
            async with self.opened(tmp_path) as opened:
                self.assert_count((await self.read_back(opened)).get("p", 0), 7, "a flush that came after a restart")

        self.check(tmp_path, scenario)

    def test_stopped_anywhere_it_counts_once(self, tmp_path: Path) -> None:
        """Cancelled at every point where it waits, then repeated: nothing is missing and nothing counts twice."""

        async def scenario() -> None:
            flushes, expected = Flushes(), 0
            async with self.opened(tmp_path) as opened:
                for steps in range(1, _MOST_STEPS):
                    flush = flushes.next([make_aggregate(f"p{number}", 1) for number in range(50)])
                    expected += 50
                    ended = await _stopped_after(steps, opened, flush)
                    await opened.store(flush)
                    found = sum((await self.read_back(opened)).values())
                    self.assert_count(found, expected, f"a flush that was stopped where it waited for time {steps}")
                    if ended or not self.exactly_once:
                        return

        self.check(tmp_path, scenario)

    def test_an_old_flush_changes_nothing(self, tmp_path: Path) -> None:
        """A flush that comes after its successor is refused with `PermanentError`, or taken without effect."""

        async def scenario() -> None:
            self._needs_exactly_once()
            flushes = Flushes()
            first, second = flushes.next([make_aggregate("p", 1)]), flushes.next([make_aggregate("p", 10)])
            async with self.opened(tmp_path) as opened:
                await opened.store(first)
                await opened.store(second)
                await _refused(opened, first)
                assert await self.read_back(opened) == {"p": 11}, "a flush that came late, again, was counted again"

        self.check(tmp_path, scenario)

    def test_a_foreign_continuation_is_refused(self, tmp_path: Path) -> None:
        """A flush that does not continue what is stored, as from a copied data directory, is a `PermanentError`."""

        async def scenario() -> None:
            self._needs_exactly_once()
            flushes, copied = Flushes(), Flushes(epoch=0xC0B1)
            copied.previous = flushes.next([make_aggregate("p", 1)]).position
            async with self.opened(tmp_path) as opened:
                await opened.store(Flushes().next([make_aggregate("p", 1)]))
                await opened.store(flushes.next([make_aggregate("p", 10)]))
                assert await _refused(opened, copied.next([make_aggregate("p", 100)])), (
                    "a flush that does not continue what is stored was taken; use flush.is_stored(progress)"
                )
                assert await self.read_back(opened) == {"p": 11}, "a refused flush was stored all the same"

        self.check(tmp_path, scenario)

    def test_instances_do_not_mix(self, tmp_path: Path) -> None:
        """Several services store in one place; each has progress of its own."""

        async def scenario() -> None:
            services = [Flushes("instance-a"), Flushes("instance-b")]
            async with self.opened(tmp_path) as opened:
                for _ in range(3):
                    for service in services:
                        await opened.store(service.next([make_aggregate("p", 1)]))
                assert await self.read_back(opened) == {"p": 6}, "flushes of two services were taken for each other"

        self.check(tmp_path, scenario)

    def test_a_restart_of_the_service_continues(self, tmp_path: Path) -> None:
        """Each start of the service has its own epoch; the flush continues the one before all the same."""

        async def scenario() -> None:
            flushes = Flushes()
            async with self.opened(tmp_path) as opened:
                for _ in range(3):
                    await opened.store(flushes.next([make_aggregate("p", 1)]))
                    flushes.restart()
                assert await self.read_back(opened) == {"p": 3}, (
                    "after a restart of the service flushes were not stored"
                )

        self.check(tmp_path, scenario)

    def test_a_gap_is_taken(self, tmp_path: Path) -> None:
        """After a lane dropped flushes `previous` is `None`: the next one is stored, and once."""

        async def scenario() -> None:
            flushes = Flushes()
            async with self.opened(tmp_path) as opened:
                await opened.store(flushes.next([make_aggregate("p", 1)]))
                flushes.next([make_aggregate("p", 10)])
                flush = msgspec.structs.replace(flushes.next([make_aggregate("p", 100)]), previous=None)
                await opened.store(flush)
                await opened.store(flush)
                self.assert_count((await self.read_back(opened)).get("p", 0), 101, "a flush after a gap")

        self.check(tmp_path, scenario)

    def _needs_exactly_once(self) -> None:
        if not self.exactly_once:
            raise NotSupported("exactly_once = False: this sink may count a flush again")


async def _refused(opened: OpenSink, flush: Any) -> bool:
    try:
        await opened.store(flush)
    except PermanentError:
        return True
    return False


async def _stopped_after(steps: int, opened: OpenSink, flush: Any) -> bool:
    """Cancel `on_flush` when it waits for the `steps`-th time; whether it ended before."""
    task = asyncio.ensure_future(_cancelling(opened.sink.on_flush(flush=flush), steps))
    await asyncio.wait({task})
    if task.cancelled():
        return False
    error = task.exception()
    if error is not None:
        raise error
    return task.result()


@types.coroutine
def _cancelling(call: Coroutine[Any, Any, Any], steps: int) -> Generator[Any, Any, bool]:
    waited = 0
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            waits_for = call.send(value) if error is None else call.throw(error)
        except StopIteration:
            return waited < steps
        waited += 1
        if waited == steps:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        value, error = None, None
        try:
            value = yield waits_for
        except (Exception, asyncio.CancelledError) as caught:  # noqa: BLE001  all of it belongs to the sink
            error = caught

"""Checks of a sink: it stops when it is told to, keeps what it has taken, and lives through an outage of its store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from log_aggregator.errors import PermanentError
from log_aggregator.model.aggregate import Flush
from log_aggregator_dev.factories import Flushes, make_aggregate
from log_aggregator_dev.sink_suite import SinkSuite


class EndingChecks(SinkSuite):
    """Part of `SinkContract`."""

    def test_cancelling_ends_soon_and_harms_nothing(self, tmp_path: Path) -> None:
        """A call that is cancelled ends, and the sink stores the same flush afterwards."""

        async def scenario() -> None:
            flush = Flushes().next([make_aggregate(f"p{number}") for number in range(1_000)])
            async with self.opened(tmp_path) as opened:
                task = asyncio.ensure_future(opened.sink.on_flush(flush=flush))
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait({task}, timeout=self.soon)
                if not task.done():
                    raise AssertionError(f"on_flush did not end within {self.soon:g} s of its cancellation")
                async with asyncio.timeout(self.soon * 2):
                    await opened.store(flush)
                assert len(await self.read_back(opened)) == 1_000, "after a cancelled call the flush was not stored"

        self.check(tmp_path, scenario)

    def test_closing_leaves_nothing_running(self, tmp_path: Path) -> None:
        """When the lifespan is left it ends soon, and no task of the sink goes on."""

        async def scenario() -> None:
            before = asyncio.all_tasks()
            async with contextlib.AsyncExitStack() as stack:
                opened = await stack.enter_async_context(self.opened(tmp_path))
                await opened.store(Flushes().next([make_aggregate()]))
                async with asyncio.timeout(self.soon):
                    await stack.aclose()
            await asyncio.sleep(0)
            left = [task.get_name() for task in asyncio.all_tasks() - before]
            assert not left, f"tasks go on after the lifespan was left: {', '.join(left)}"

        self.check(tmp_path, scenario)

    def test_what_is_stored_outlives_the_sink(self, tmp_path: Path) -> None:
        """When `on_flush` has returned, the flush is safe: a new sink on the same store finds it."""

        async def scenario() -> None:
            flushes = Flushes()
            for _ in range(3):
                async with self.opened(tmp_path) as opened:
                    await opened.store(flushes.next([make_aggregate("p", 5)]))
            async with self.opened(tmp_path) as opened:
                assert await self.read_back(opened) == {"p": 15}, "on_flush returned before the flush was safe"

        self.check(tmp_path, scenario)

    def test_an_outage_is_retryable(self, tmp_path: Path) -> None:
        """While the store is out of reach `on_flush` raises, and not `PermanentError`; afterwards it works again."""

        async def scenario() -> None:
            flushes = Flushes()
            async with self.opened(tmp_path) as opened:
                await opened.store(flushes.next([make_aggregate("p", 1)]))
                flush = flushes.next([make_aggregate("p", 10)])
                async with self.outage(tmp_path):
                    for _ in range(2):
                        error = await _attempt(opened.store(flush))
                        assert error is not None, "on_flush returned although the store was out of reach"
                        assert not isinstance(error, PermanentError), "an outage is no PermanentError: it ends"
                await _until_stored(opened.store, flush, self.deadline / 2)
                found = await self.read_back(opened)
                self.assert_count(found.get("p", 0), 11, "after an outage")

        self.check(tmp_path, scenario)

    def test_it_starts_during_an_outage(self, tmp_path: Path) -> None:
        """A store that is out of reach does not keep the service from starting."""

        async def scenario() -> None:
            async with contextlib.AsyncExitStack() as stack:
                async with self.outage(tmp_path):
                    opened = await stack.enter_async_context(self.opened(tmp_path))
                flush = Flushes().next([make_aggregate("p", 1)])
                await _until_stored(opened.store, flush, self.deadline / 2)
                assert await self.read_back(opened) == {"p": 1}, "a sink that began in an outage did not store"

        self.check(tmp_path, scenario)


async def _attempt(call: Awaitable[None]) -> Exception | None:
    try:
        await call
    except Exception as error:  # noqa: BLE001  a sink may raise anything: that is what is looked at
        return error
    return None


async def _until_stored(store: Callable[[Flush], Awaitable[None]], flush: Flush, deadline: float) -> None:
    """Deliver as a lane does: again and again, until it works."""
    async with asyncio.timeout(deadline):
        while await _attempt(store(flush)) is not None:  # noqa: ASYNC110  there is nothing to wait for
            await asyncio.sleep(0.1)

"""The plugin: counts flushes, ends a minute every minute, and lets incidents ride on the next flush."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from log_aggregator import RetryableError, Service, hookimpl
from log_aggregator.sinks import Flush
from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.keeper import Keeper
from log_aggregator_trends.notifier import Notifier
from log_aggregator_trends.room import Room

_LONGEST_GRACE = 300.0
_MOST_BEHIND = 30

log = logging.getLogger(__name__)


class Trends:
    """Watches the counts per pattern, per source and of each source's errors."""

    Config = TrendsConfig
    alone = True

    def __init__(self, config: TrendsConfig, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives epoch seconds."""
        self._config = config
        self._clock = clock
        self._room: Room | None = None
        self._grace = config.grace or 0.0

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        """Count a flush in memory. One that is counted already (delivered again) is left alone."""
        if self._room is None:
            raise RetryableError("trends is not running")
        await self._room.take(flush)

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Read what was learned, end minutes while the service runs, write what was learned."""
        if self._config.grace is None:
            self._grace = min(service.settings.aggregation_window + 5.0, _LONGEST_GRACE)
        keeper = await Keeper.open(service.data_dir / "trends.sqlite3")
        try:
            room = await Room.open(self._config, keeper, service.emit, int(self._clock() // 60))
            notifier = Notifier(self._config, room.told)
            room.start(notifier)
            self._room = room
            service.add_stats("trends", self.figures)
            service.add_health_check("trends", self._check)
            tasks = [
                asyncio.create_task(self._minutes(room), name="trends minutes"),
                asyncio.create_task(notifier.run(), name="trends notifier"),
            ]
            try:
                yield
            finally:
                self._room = None
                await _stop(tasks)
                await room.close()
        finally:
            await keeper.close()

    async def _minutes(self, room: Room) -> None:
        while True:
            due = (room.next_minute + 1) * 60.0 + self._grace
            delay = due - self._clock()
            if delay > 0:
                await asyncio.sleep(min(delay, 60.0))
                continue
            latest = int((self._clock() - self._grace) // 60) - 1
            if latest - room.next_minute > _MOST_BEHIND:
                # The machine slept: what came meanwhile is unknown, not silent.
                room.skip_to(latest)
            await room.end_minute()

    async def _check(self) -> str | None:
        room = self._room
        return room.trouble if room is not None else "not running"

    def figures(self) -> dict[str, Any]:
        """What `/stats` shows."""
        return self._room.figures() if self._room is not None else {}


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await task
            except Exception:
                log.exception("a task of trends had failed")

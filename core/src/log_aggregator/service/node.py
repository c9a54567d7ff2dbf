"""This process: starts its tasks and plugins, replays, drains and stops; answers for itself alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from log_aggregator.delivery.lane import Lane
from log_aggregator.http.backend import HealthReport
from log_aggregator.plugins.checks import instances_of
from log_aggregator.plugins.context import Host, PluginContext
from log_aggregator.plugins.isolation.lifespan import contained
from log_aggregator.plugins.isolation.where_raised import package_of
from log_aggregator.service.health import health_of
from log_aggregator.service.reloads import Reloads
from log_aggregator.service.renaming import rename_patterns
from log_aggregator.service.runtime import Runtime
from log_aggregator.service.stats import stats_of
from log_aggregator.service.supervision import supervised

MEASURE_EVERY = 0.5

log = logging.getLogger(__name__)


class Node:
    """Runs the parts of a `Runtime`. `submit` is `Ingester.submit`.

    The order is `start`, `drain`, `stop`, `close`; without `drain` all that is not stored stays in the journal.
    """

    def __init__(self, runtime: Runtime, reloads: Reloads) -> None:
        self.runtime = runtime
        self._reloads = reloads
        self.submit = runtime.ingester.submit
        self.submit_aggregates = runtime.aggregate_ingester.submit
        self._tasks: list[asyncio.Task[None]] = []
        self._lifespans = contextlib.AsyncExitStack()

    async def start(self, host: Host) -> None:
        """Enter every plugin's lifespan, start the tasks, replay the journal, and accept records.

        `host` is what the plugins reach the service through. Raises `ConfigError` when a plugin cannot start; then
        no task runs, but `close` is still to be called.
        """
        runtime = self.runtime
        try:
            for plugin in runtime.registry.with_hook("lifespan"):
                once = instances_of(plugin.instance) == "cluster"
                context = PluginContext(host, plugin.name, runtime.registrations, runs_once=once)
                lifespan = plugin.hooks["lifespan"](service=context)
                await self._lifespans.enter_async_context(
                    contained(plugin.entry.where, plugin.name, lifespan, package_of(plugin.instance))
                )
            await runtime.partitions.start(self._spawn)
        except BaseException:
            await self.stop()
            raise
        runtime.ingester.open()
        runtime.receivers.start()
        self._spawn(self._measure_journal, "measure journal")
        self._tasks.append(asyncio.create_task(rename_patterns(runtime), name="rename patterns"))
        runtime.registrations.complete = True

    async def drain(self) -> None:
        """Stop the receivers, seal all that is queued, give each sink one more attempt: within `shutdown_timeout`."""
        await self.runtime.receivers.stop()
        try:
            async with asyncio.timeout(self.runtime.settings.shutdown_timeout):
                sealed = await self.runtime.partitions.seal()
                stored = await asyncio.gather(
                    *(lane.last_try(one.sequence) for one in sealed for lane in one.work.lanes)
                )
        except TimeoutError:
            stored = [False]
        if not all(stored):
            log.warning("stopped before every sink had everything; the rest is in the journal")

    async def stop(self) -> None:
        """Cancel the tasks."""
        await self.runtime.receivers.stop()
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self.runtime.partitions.stop()

    def keep_totals(self) -> None:
        """Add what this node counted to the totals of the process. Once, when it is drained."""
        self._reloads.totals.keep(stats_of(self.runtime))

    async def close(self) -> None:
        """Leave the plugins' lifespans, the last one first. The caller sets the deadline."""
        await self._lifespans.aclose()

    async def flush(self, deadline: float) -> dict[str, Any]:
        """Seal and wait at most `deadline` seconds for the sinks: how many groups, and each sink's outcome."""
        works = self.runtime.works
        before = sum(work.sealer.groups for work in works)
        try:
            async with asyncio.timeout(deadline):
                sealed = await self.runtime.partitions.seal()
        except TimeoutError:
            return {"groups": 0, "sealed": False, "sinks": {}}
        finally:
            for work in works:
                for lane in work.lanes:
                    lane.hurry()
        groups = sum(work.sealer.groups for work in works) - before
        reached = [(lane, one.sequence) for one in sealed for lane in one.work.lanes]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                await asyncio.gather(*(lane.reached(sequence) for lane, sequence in reached))
        outcomes: dict[str, Any] = {}
        for lane, sequence in reached:
            if outcomes.get(lane.name, {}).get("outcome") != "waiting":
                outcomes[lane.name] = _outcome(lane, sequence)
        return {"groups": groups, "sealed": True, "sinks": outcomes}

    def stats(self) -> dict[str, Any]:
        """The object of `GET /stats`."""
        return self._reloads.totals.over(stats_of(self.runtime)) | {"reloads": self._reloads.stats()}

    async def health(self) -> HealthReport:
        """The answer to `GET /health`."""
        return await health_of(self.runtime)

    def _spawn(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        self._tasks.append(asyncio.create_task(supervised(work, name), name=name))

    async def _measure_journal(self) -> None:
        while True:
            self.runtime.ingester.journal_bytes = await self.runtime.journal.used_bytes()
            await asyncio.sleep(MEASURE_EVERY)


def _outcome(lane: Lane, sequence: int) -> dict[str, Any]:
    if lane.cursor >= sequence:
        return {"outcome": "stored"}
    return {"outcome": "waiting", "error": lane.last_error or None}

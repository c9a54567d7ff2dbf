"""Wires the rooms: starts them in order, answers for all of them, drains them on stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.aggregation.aggregator import Aggregator
from log_aggregator.aggregation.sealer import Sealer
from log_aggregator.config.limits import limits_of
from log_aggregator.config.place import Place
from log_aggregator.config.settings import Settings
from log_aggregator.delivery.lane import Lane
from log_aggregator.http.backend import HealthReport
from log_aggregator.ingest.ingester import Ingester, Receipt
from log_aggregator.journal import Intake, Outbox, Writer, open_journal, used_bytes
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.fields.construct import configure
from log_aggregator.model.record import Record
from log_aggregator.plugins.context import PluginContext, Registrations
from log_aggregator.plugins.isolation import StallWatchdog, packages_of
from log_aggregator.plugins.isolation.lifespan import contained
from log_aggregator.plugins.isolation.where_raised import package_of
from log_aggregator.plugins.registry import Registry
from log_aggregator.plugins.slices import slices
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.partial_aggregates import PreAggregator
from log_aggregator.processing.processor import Processor
from log_aggregator.service.inspection import health_of, stats_of
from log_aggregator.service.stats import Latency
from log_aggregator.service.workers.merging import merge_flushes, merge_health, merge_stats
from log_aggregator.service.workers.peers import OneAtATime, Peers, answering
from log_aggregator.store import Store

REPLAY_ROWS = 16
MEASURE_EVERY = 0.5

log = logging.getLogger(__name__)


class Service:
    """The running pipeline of one data directory, without its HTTP server.

    Use as an async context manager: entering replays what a crash left, leaving drains within
    `shutdown_timeout`. Raises `ConfigError` when the data directory cannot be used.
    """

    def __init__(self, settings: Settings, registry: Registry, place: Place | None = None) -> None:
        self.place = place or Place()
        self.shared_dir = settings.data_dir
        self.settings = settings.model_copy(update={"data_dir": self.place.data_dir(settings.data_dir)})
        self.registry = registry
        self._peers = Peers(self.place)
        self.registrations = Registrations()
        self.acknowledge = Latency()
        self.started = time.time()
        self.running = False
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Service:
        """Open the journal, enter every plugin's lifespan, replay, start."""
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Drain: process what is queued, seal it, give the sinks their time, close."""
        await self._drain()
        await self._stop()

    async def _start(self) -> None:
        settings = self.settings
        configure(limits_of(settings))
        journal = await asyncio.to_thread(open_journal, settings.data_dir)
        self._stack.callback(journal.lock.close)
        self.instance = journal.identity.instance
        self.writer = Writer(journal.connection)
        self._stack.push_async_callback(asyncio.to_thread, self.writer.close)
        await self._meet_the_others()
        self.intake, self.outbox = Intake(settings.idempotency_keys), Outbox()
        self.stages = Stages(self.registry)
        self.lanes = self._make_lanes()
        self.sealer = Sealer(settings, journal.identity, self.writer, self.intake, self.outbox, self.lanes)
        group_by = tuple(key.strip() for key in settings.group_by.split(",") if key.strip())
        sorter, fold = (
            PreAggregator(settings.aggregation_bucket, group_by),
            Accumulators(settings.max_groups, settings.max_samples),
        )
        self.tally = fold.tally
        self.processor = Processor(self.stages, sorter)
        self.pipeline = Aggregator(self.processor, fold, self.sealer)
        self.door = Ingester(settings, self.stages, self.processor, self.writer, self.intake, self.pipeline)
        await self.sealer.open()
        for lane in self.lanes:
            await lane.open()
        self._stack.enter_context(self._watch().running())
        for plugin in self.registry.with_hook("lifespan"):
            handle = PluginContext(self, plugin.name, self.registrations)
            lifespan = plugin.hooks["lifespan"](service=handle)
            await self._stack.enter_async_context(
                contained(plugin.entry.where, plugin.name, lifespan, package_of(plugin.instance))
            )
        self._spawn(self.pipeline.run, "pipeline")
        for lane in self.lanes:
            self._spawn(lane.run, f"lane {lane.name}")
        await self._replay()
        self.door.open()
        self._spawn(self._measure, "measure")
        self.running = True

    async def _meet_the_others(self) -> None:
        """With several workers: share the plugins that must be alone, ask and answer the other workers."""
        if self.place.total == 1:
            return
        peers = await self._stack.enter_async_context(self._peers.opened())
        shared: dict[str, OneAtATime] = {}
        for plugin in self.registry.plugins:
            if not getattr(type(plugin.instance), "alone", False):
                continue
            if self.place.number:
                plugin.hooks = {"on_flush": partial(peers.deliver, plugin.name)} if plugin.hook("on_flush") else {}
            elif "on_flush" in plugin.hooks:
                plugin.hooks["on_flush"] = shared[plugin.name] = OneAtATime(plugin.hooks["on_flush"])
        await self._stack.enter_async_context(answering(self, self.place, shared))

    def _watch(self) -> StallWatchdog:
        """The watch over the event loop, known to the stages and lanes: they tell it which plugin runs."""
        watch = StallWatchdog(self.stages.circuits, packages_of(self.registry.plugins))
        self.stages.watch = watch
        for lane in self.lanes:
            lane.sink.watch = watch
        return watch

    def _make_lanes(self) -> list[Lane]:
        sinks = self.registry.with_hook("on_flush")
        names = [plugin.name for plugin in sinks]
        timeout, circuits = self.settings.sink_timeout, self.stages.circuits
        return [
            Lane(plugin, self.writer, self.outbox, names, timeout, self._on_progress, circuits[plugin.name])
            for plugin in sinks
        ]

    def _on_progress(self) -> None:
        self.pipeline.wake()

    def _spawn(self, work: Callable[[], Any], name: str) -> None:
        self._tasks.append(asyncio.create_task(_guarded(work, name), name=name))

    async def _replay(self) -> None:
        """Feed what was acknowledged before a crash through the pipeline, before anything new comes in."""
        position, replayed = 0, 0
        while rows := await self.writer.submit(partial(self._rows_after, position)):
            for position, records in rows:
                replayed += len(records)
                self.pipeline.enqueue(position, list(slices(WorkingBatch(records))))
            await self.pipeline.drained()
        if replayed:
            log.info("replayed acknowledged logs from the journal", extra={"logs": replayed})

    def _rows_after(self, position: int, connection: sqlite3.Connection) -> list[tuple[int, list[Record]]]:
        return list(self.intake.read(connection, position, REPLAY_ROWS))

    async def _measure(self) -> None:
        while True:
            self.door.journal_bytes = await self.writer.submit(used_bytes)
            await asyncio.sleep(MEASURE_EVERY)

    async def _drain(self) -> None:
        self.running = False
        try:
            async with asyncio.timeout(self.settings.shutdown_timeout):
                sequence = await self.pipeline.seal_now()
                stored = await asyncio.gather(*(lane.last_try(sequence) for lane in self.lanes))
        except TimeoutError:
            stored = [False]
        if not all(stored):
            log.warning("stopped before every sink had everything; the rest is in the journal")

    async def _stop(self) -> None:
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        try:
            async with asyncio.timeout(5):
                await self._stack.aclose()
        except TimeoutError:
            log.warning("a plugin did not close in time")

    @property
    def store(self) -> Store | None:
        """The store that is read: the first in the file's order."""
        return self.registrations.stores[0][1] if self.registrations.stores else None

    @property
    def routes(self) -> list[Any]:
        """The HTTP routes of plugins: (method, path, handler)."""
        return self.registrations.routes

    async def take(
        self, records: list[Record], *, key: str | None = None, digest: bytes = b"", size: int | None = None
    ) -> Receipt:
        """Take one batch in; see `Ingester.submit`."""
        started = time.perf_counter()
        owner = self.place.number
        if key is not None and self.place.total > 1:
            owner = self._peers.owner_of(key)
        if key is None or owner == self.place.number:
            receipt = await self.door.submit(records, key=key, digest=digest, size=size)
        else:
            receipt = await self._peers.take(owner, records, key, digest)
        self.acknowledge.note(time.perf_counter() - started)
        return receipt

    async def flush(self, deadline: float) -> dict[str, Any]:
        """Seal what has gathered and wait for the sinks: groups, and each sink's outcome, of all workers."""
        mine, others = await asyncio.gather(self.own_flush(deadline), self._peers.flush(deadline))
        return merge_flushes([mine, *others]) if others else mine

    async def own_flush(self, deadline: float) -> dict[str, Any]:
        """`flush` of this worker alone."""
        before = self.sealer.groups
        try:
            async with asyncio.timeout(deadline):
                sequence = await self.pipeline.seal_now()
        except TimeoutError:
            return {"groups": 0, "sealed": False, "sinks": {}}
        finally:
            for lane in self.lanes:
                lane.hurry()
        groups = self.sealer.groups - before
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                await asyncio.gather(*(lane.reached(sequence) for lane in self.lanes))
        return {"groups": groups, "sealed": True, "sinks": {lane.name: _outcome(lane, sequence) for lane in self.lanes}}

    async def stats(self) -> dict[str, Any]:
        """What `GET /stats` shows, of all workers."""
        others = await self._peers.stats()
        return merge_stats([self.own_stats(), *others]) if self.place.total > 1 else self.own_stats()

    def own_stats(self) -> dict[str, Any]:
        """`stats` of this worker alone."""
        return stats_of(self)

    async def health(self) -> HealthReport:
        """What `GET /health` shows, of all workers."""
        mine, others = await asyncio.gather(self.own_health(), self._peers.health())
        return merge_health([mine, *others]) if others else mine

    async def own_health(self) -> HealthReport:
        """`health` of this worker alone."""
        return await health_of(self)


def _outcome(lane: Lane, sequence: int) -> dict[str, Any]:
    if lane.cursor >= sequence:
        return {"outcome": "stored"}
    return {"outcome": "waiting", "error": lane.last_error or None}


async def _guarded(work: Callable[[], Any], name: str) -> None:
    """Run a task that never ends by itself; when it fails all the same, say so and start it again."""
    while True:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("internal task failed and is started again", extra={"task": name})
            await asyncio.sleep(1)

"""The service of all workers: what HTTP and the plugins call, in whichever worker they are."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from pathlib import Path
from typing import Any, Self

from log_aggregator.config.place import Place
from log_aggregator.config.settings import Settings
from log_aggregator.http.access.quota import passing_now
from log_aggregator.http.access.sent_sources import passing_aggregates
from log_aggregator.http.backend import Handler, HealthReport
from log_aggregator.journal import Journal, ReaderPosition, shared
from log_aggregator.model.aggregate import Alias, Anomaly
from log_aggregator.model.receipt import Receipt
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import Link, SentAggregates
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.explaining import explain_line
from log_aggregator.service.members import OtherMembers
from log_aggregator.service.node import Node
from log_aggregator.service.receivers import Receivers
from log_aggregator.service.reloads import Reloads, ask_for_reload
from log_aggregator.service.runtime import Runtime, open_runtime
from log_aggregator.service.workers.answering import answering
from log_aggregator.service.workers.forwarded import forwarded_routes
from log_aggregator.service.workers.merging import merge_flushes, merge_health, merge_stats
from log_aggregator.service.workers.peers import Peers
from log_aggregator.service.workers.shared_plugins import share_plugins
from log_aggregator.store import Store

CLOSE_TIMEOUT = 5.0
"""Seconds that the plugins and the journal have to close."""

log = logging.getLogger(__name__)


class Service:
    """The service without its HTTP server: a `Node` for this process, and its `Peers`.

    Implements `http.backend.Backend` and `plugins.context.Host`. Use as an async context manager: entering replays
    what a crash left, leaving drains within `shutdown_timeout`. Raises `ConfigError` when it cannot start.
    `runtime` and `node` exist from then on.
    """

    runtime: Runtime
    node: Node

    def __init__(
        self, settings: Settings, registry: Registry, place: Place | None = None, reloads: Reloads | None = None
    ) -> None:
        self._place = place or Place()
        self._given = settings
        self._reloads = reloads or Reloads()
        self._registry = registry
        self._peers = Peers(self._place)
        self._members: OtherMembers | None = None
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the journal, enter every plugin's lifespan, replay, start."""
        try:
            await self._start()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Drain: process what is queued, seal it, give each sink an attempt; then stop."""
        await self.node.drain()
        self.node.keep_totals()
        await self._stop()

    async def _start(self) -> None:
        sharing = self._place.total > 1
        if sharing:
            await self._stack.enter_async_context(self._peers.opened())
        sinks = share_plugins(self._registry, self._place, self._peers) if sharing else {}
        runtime = open_runtime(self._given, self._registry, self._place)
        self.runtime = await self._stack.enter_async_context(runtime)
        self.node = Node(self.runtime, self._reloads)
        if sharing:
            await self._stack.enter_async_context(answering(self.node, self._place, sinks, lambda: self.routes))
            self.routes.extend(forwarded_routes(self._registry, self._place, self._peers.ask_first))
        self._stack.push_async_callback(self.node.close)
        await self.node.start(self)
        if (journal := shared(self.runtime.journal)) is not None:
            self._members = OtherMembers(journal)
            await self._stack.enter_async_context(self._members.answering(self.node))

    async def _stop(self) -> None:
        await self.node.stop()
        await self._close()

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._stack.aclose()
        except TimeoutError:
            log.warning("a plugin did not close in time")

    @property
    def settings(self) -> Settings:
        """The environment, checked; `data_dir` is this worker's."""
        return self.runtime.settings

    @property
    def shared_dir(self) -> Path:
        """The data directory of all workers."""
        return self.runtime.shared_dir

    @property
    def journal(self) -> Journal:
        """The journal of this worker."""
        return self.runtime.journal

    @property
    def receivers(self) -> Receivers:
        """The tasks and listeners of this worker's plugins."""
        return self.runtime.receivers

    @property
    def instance(self) -> str:
        """The identity of this worker's data directory."""
        return self.runtime.instance

    @property
    def store(self) -> Store | None:
        """The store that is read: the first in the file's order."""
        return self.runtime.registrations.store

    @property
    def routes(self) -> list[tuple[str, str, Handler]]:
        """The HTTP routes of plugins: (method, path, handler)."""
        return self.runtime.registrations.routes

    async def submit(
        self,
        records: list[Record],
        *,
        key: str | None = None,
        digest: bytes = b"",
        size: int | None = None,
        position: ReaderPosition | None = None,
    ) -> Receipt:
        """Submit one request to this worker, or to the one that owns its Idempotency-Key; see `Ingester.submit`.

        A request with a `position` stays in this worker, whose journal holds the position.
        """
        started = time.perf_counter()
        owner = self._place.number
        if key is not None and position is None and self._place.total > 1:
            owner = self._peers.owner_of(key)
        if key is None or owner == self._place.number:
            receipt = await self.node.submit(records, key=key, digest=digest, size=size, position=position)
        else:
            receipt = await self._peers.submit(owner, records, key, digest)
        self.runtime.latency.note(time.perf_counter() - started)
        return receipt

    async def ingest(
        self,
        records: list[Record],
        *,
        key: str | None = None,
        digest: bytes = b"",
        position: ReaderPosition | None = None,
    ) -> Receipt:
        """Submit the records that a plugin takes in: in a route, those that the request's API key may send."""
        return await self.submit(passing_now(records), key=key, digest=digest, position=position)

    async def ingest_aggregates(self, plugin: str, sent: SentAggregates, link: Link) -> Receipt:
        """Submit aggregates that a plugin takes in. The first worker has all chains, so their number may change."""
        allowed, places, refused = passing_aggregates(sent)
        if self._place.number:
            receipt = await self._peers.submit_aggregates(plugin, allowed, link)
        else:
            receipt = await self.node.submit_aggregates(plugin, allowed, link)
        rejected = [(places[index], why) for index, why in receipt.rejected]
        return receipt._replace(rejected=sorted([*rejected, *refused.items()]))

    def emit(self, event: Alias | Anomaly) -> None:
        """Add an event to the next flush of this worker."""
        self.runtime.partitions.emit(event)

    async def flush(self, deadline: float) -> dict[str, Any]:
        """Seal and wait at most `deadline` seconds for the sinks: groups, and each sink's outcome."""
        if self._members is not None:
            return await self._members.flush_all(self.node, deadline)
        mine, others = await asyncio.gather(self.node.flush(deadline), self._peers.flush(deadline))
        return merge_flushes([mine, *others]) if others else mine

    async def reload(self) -> dict[str, Any]:
        """Reload as SIGHUP does, soon; the counts of reloads until now."""
        before = (await self.stats())["reloads"]
        asyncio.get_running_loop().call_soon(ask_for_reload, self._place.total)
        return {"reloads": before}

    async def explain(self, line: str) -> dict[str, Any]:
        """What the stages of this worker make of a log line; nothing is stored."""
        return await explain_line(self.runtime.stages, line)

    async def stats(self) -> dict[str, Any]:
        """The object of `GET /stats`."""
        others = await (self._members or self._peers).stats()
        mine = self.node.stats()
        return merge_stats([mine, *others]) if others or self._place.total > 1 else mine

    async def health(self) -> HealthReport:
        """The answer to `GET /health`."""
        peers = self._members or self._peers
        mine, others = await asyncio.gather(self.node.health(), peers.health())
        return merge_health([mine, *others]) if others else mine

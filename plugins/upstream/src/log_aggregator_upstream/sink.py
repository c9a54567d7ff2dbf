"""The plugin that sends: gathers flushes in a file and sends what they add up to, once a window."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from log_aggregator import ConfigError, RetryableError, Service, hookimpl
from log_aggregator.sinks import Flush
from log_aggregator_upstream.config import UpstreamConfig
from log_aggregator_upstream.delivery import MAX_VIA
from log_aggregator_upstream.hub import Hub, NotTakenError, Refused, trust_of
from log_aggregator_upstream.peers import own_id, passed
from log_aggregator_upstream.store import UpstreamStore, Waiting

Result = TypeVar("Result")

FILE = "upstream.sqlite3"
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
LAST_SEND = 2.0
"""Seconds to send what has gathered when the service stops; the rest is sent after the next start."""

GROUPS_OF_DELIVERY = 10_000
SEAL_GROUPS = 10_000
"""Groups that have gathered at which they are sent before the window is over."""


class UpstreamSink:
    """Sends aggregates to another log-aggregator, each flush counted once there."""

    Config = UpstreamConfig
    api = ">=1,<2"
    instances = "node"

    def __init__(self, config: UpstreamConfig) -> None:
        self._config = config
        self._trust = trust_of(config)
        self._store: UpstreamStore | None = None
        self._lock = asyncio.Lock()
        self._more = asyncio.Event()
        self._waiting = Waiting(0, 0, 0, None)
        self._deliveries = self._logs = self._bytes = self._repeated = 0
        self._refused = Refused()
        self._problem = ""
        self._needs_person = False

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Open the file, and send from it until the end. The other service may be away."""
        self._bucket = service.settings.aggregation_bucket
        self._max_samples = service.settings.max_samples
        self._directory = service.shared_dir
        try:
            self._id = await asyncio.to_thread(own_id, self._directory)
        except OSError as error:
            raise ConfigError(f"DATA_DIR {self._directory}: cannot be used: {error}") from error
        self._store = await asyncio.to_thread(UpstreamStore, self._directory / FILE)
        hub = Hub(self._config, self._trust)
        try:
            self._waiting = await self._with_store(UpstreamStore.waiting)
            service.run("send", lambda: self._send_for_ever(hub))
            service.add_health_check("upstream", self._complaint)
            service.add_stats("upstream", self._stats)
            yield
            with contextlib.suppress(TimeoutError, NotTakenError, sqlite3.Error):
                async with asyncio.timeout(LAST_SEND):
                    await self._seal()
                    while await self._send_next(hub):
                        pass
        finally:
            store, self._store = self._store, None
            await hub.close()
            async with self._lock:
                await asyncio.to_thread(store.close)

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        """Keep the flush in the file. Raises `RetryableError` while too much waits there, and `FencedError`."""
        most = self._config.max_groups
        if self._waiting.groups >= most:
            raise RetryableError(f"upstream: {most} groups wait for the other service; {self._problem or 'it is slow'}")
        try:
            await self._with_store(lambda store: store.gather(flush, self._bucket))
            await self._with_store(lambda store: store.merge(self._max_samples))
            self._waiting = await self._with_store(UpstreamStore.waiting)
        except sqlite3.Error as error:
            raise RetryableError(f"upstream: {FILE} cannot be written: {error}") from error
        self._more.set()

    async def _with_store(self, work: Callable[[UpstreamStore], Result]) -> Result:
        async with self._lock:
            if self._store is None:
                raise RetryableError("upstream: the sink is closed")
            # A thread that is cancelled would go on with the file while others use it.
            return await _finished(asyncio.to_thread(work, self._store))

    async def _send_for_ever(self, hub: Hub) -> None:
        pause = 0.0
        while True:
            self._more.clear()
            try:
                if not await self._send_next(hub):
                    left = self._seconds_left()
                    if left is None or left > 0:
                        await self._wait(left)
                    else:
                        await self._seal()
                pause = 0.0
                self._problem, self._needs_person = "", False
            except NotTakenError as error:
                self._problem, self._needs_person = str(error), error.needs_person
                pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * pause))
                jittered = random.uniform(pause / 2, pause)  # noqa: S311  jitter, not a secret
                await asyncio.sleep(max(jittered, error.retry_after or 0.0))

    def _seconds_left(self) -> float | None:
        """Seconds until what has gathered is to be sealed; `None` when nothing has."""
        waiting = self._waiting
        if waiting.since is None:
            return None
        # A clock that was set back must not hold up what has gathered for longer than the window.
        age = max(0.0, time.time() - waiting.since)
        return 0.0 if waiting.groups >= SEAL_GROUPS else min(self._config.window, self._config.window - age)

    async def _wait(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._more.wait()

    async def _seal(self) -> None:
        config = self._config
        below = await asyncio.to_thread(passed, self._directory)
        via = [self._id, *sorted(below - {self._id})[: MAX_VIA - 1]]
        most = self._max_samples, config.max_request_bytes, GROUPS_OF_DELIVERY
        await self._with_store(lambda store: store.seal(self._id, via, *most))
        self._waiting = await self._with_store(UpstreamStore.waiting)

    async def _send_next(self, hub: Hub) -> bool:
        """Send the oldest delivery; whether there was one. Raises `NotTakenError`: it is sent again as it is."""
        sealed = await self._with_store(UpstreamStore.next)
        if sealed is None:
            return False
        self._bytes += len(sealed.body)
        taken = await hub.send(sealed.body)
        await self._with_store(lambda store: store.taken(sealed.sequence))
        self._waiting = await self._with_store(UpstreamStore.waiting)
        self._deliveries += 1
        self._logs += sealed.logs
        self._repeated += taken.duplicate
        if taken.rejected:
            self._refused = Refused(self._refused.groups + len(taken.rejected), taken.rejected[-1].reason)
        return True

    async def _complaint(self) -> str | None:
        waiting = self._waiting
        if self._problem:
            person = "; a person is needed" if self._needs_person else ""
            return f"{self._problem}; {waiting.logs} logs wait{person}"
        if self._refused.groups:
            return f"the other service refused {self._refused.groups} groups: {self._refused.reason}"
        return None

    def _stats(self) -> dict[str, Any]:
        waiting = self._waiting
        return {
            "deliveries": self._deliveries,
            "repeated": self._repeated,
            "logs": self._logs,
            "bytes_sent": self._bytes,
            "refused_groups": self._refused.groups,
            "waiting_deliveries": waiting.deliveries,
            "waiting_groups": waiting.groups,
            "waiting_logs": waiting.logs,
            "last_error": self._problem or None,
        }


async def _finished(work: Coroutine[Any, Any, Result]) -> Result:
    """Wait for work to its end, also when the waiting is cancelled; the cancellation is raised then."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise

"""The plugin: counts flushes, scores every series once a minute, and emits incidents as anomalies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from log_aggregator import RetryableError, Service, hookimpl
from log_aggregator.config.pipeline import read_rules
from log_aggregator.http.json_body import json_body
from log_aggregator.http.problem import Problem
from log_aggregator.sinks import Flush
from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.monitor import Monitor
from log_aggregator_trends.notifier import Notifier, VisitorsError
from log_aggregator_trends.rule_book import ROUTES, RuleBook
from log_aggregator_trends.state_thread import StateThread
from log_aggregator_trends.target import Target, Visitor
from log_aggregator_trends.triage import TriageWatch

_MAX_GRACE = 300.0
_MAX_MINUTES_BEHIND = 30

log = logging.getLogger(__name__)


class Trends:
    """Scores the counts of each pattern, each source and each source's errors."""

    Config = TrendsConfig
    instances = "cluster"
    routes = (*ROUTES, ("POST", "/notify-test", "admin"), ("POST", "/notify-to", "admin"))

    def __init__(self, config: TrendsConfig, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns seconds since the epoch."""
        self._config = config
        self._clock = clock
        self._monitor: Monitor | None = None
        self._grace = config.grace or 0.0

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        """Count the flush in memory; a redelivered flush is not counted again.

        Raises `RetryableError` outside of the plugin's lifespan.
        """
        if self._monitor is None:
            raise RetryableError("trends is not running")
        await self._monitor.add_flush(flush)

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Load the saved state, end each minute while the service runs, and save the state."""
        if self._config.grace is None:
            self._grace = min(service.settings.aggregation_window + 5.0, _MAX_GRACE)
        of_file = await asyncio.to_thread(read_rules, service.settings.plugins_file)
        book = await RuleBook.open(of_file, service.state("rules"), self._config.resolve_minutes)
        state = await StateThread.open(service.data_dir / "trends.sqlite3")
        try:
            minute = int(self._clock() // 60)
            monitor = await Monitor.open(self._config, state, service.emit, minute, book.rules)
            notifier = Notifier(self._config, monitor.record_delivery)
            monitor.triage = TriageWatch(lambda: service.store, self._clock)
            monitor.start(notifier)
            self._monitor = monitor
            service.add_route("POST", "/notify-to", self._notify_to, scope="admin")
            service.add_stats("trends", self.stats)
            service.add_health_check("trends", self._check)
            book.serve(service, lambda rules: monitor.rules.replace(rules, monitor.next_minute))
            service.add_route("POST", "/notify-test", self._notify_test, scope="admin")
            tasks = [
                asyncio.create_task(self._end_minutes(monitor), name="trends minutes"),
                asyncio.create_task(notifier.run(), name="trends notifier"),
            ]
            try:
                yield
            finally:
                self._monitor = None
                await _stop(tasks)
                await monitor.close()
        finally:
            await state.close()

    async def _end_minutes(self, monitor: Monitor) -> None:
        while True:
            due = (monitor.next_minute + 1) * 60.0 + self._grace
            delay = due - self._clock()
            if delay > 0:
                await asyncio.sleep(min(delay, 60.0))
                continue
            latest = int((self._clock() - self._grace) // 60) - 1
            if latest - monitor.next_minute > _MAX_MINUTES_BEHIND:
                # The machine was suspended: the counts of those minutes are unknown, not zero.
                monitor.skip_to(latest)
            await monitor.end_minute()

    async def _notify_test(self, _request: web.Request) -> web.StreamResponse:
        monitor = self._monitor
        return web.json_response({"targets": await monitor.test_targets() if monitor is not None else []})

    async def _notify_to(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request, Visitor)
        try:
            assert self._monitor is not None, "routes are served within the lifespan"
            name = self._monitor.visit(Target(kind="ntfy", url=body.url), body.seconds)
        except VisitorsError:
            raise Problem(429, "too many targets are told for a time; wait for the end of one") from None
        return web.json_response({"name": name, "seconds": body.seconds}, status=201)

    async def _check(self) -> str | None:
        monitor = self._monitor
        return monitor.file_error if monitor is not None else "not running"

    def stats(self) -> dict[str, Any]:
        """The plugin's object in `GET /stats`."""
        return self._monitor.stats() if self._monitor is not None else {}


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await task
            except Exception:
                log.exception("a trends task failed")

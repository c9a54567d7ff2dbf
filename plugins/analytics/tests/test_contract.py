"""The analytics sink passes the sink contract; only the server can detect repeated batches, by their keys."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from log_aggregator_analytics import AnalyticsConfig, AnalyticsSink
from log_aggregator_dev import OpenSink, SinkContract
from plugins.analytics.tests.analytics_server import AnalyticsServer, run_analytics_server


async def take_quickly(request: web.Request, server: AnalyticsServer) -> web.StreamResponse:
    """Record a batch without validation, which would block the event loop in which the sink is measured."""
    batch = json.loads(await request.read())
    server.batches.setdefault(request.headers["Idempotency-Key"], batch)
    return web.json_response({"taken": True}, status=202)


class TestAnalytics(SinkContract):
    exactly_once = False  # the server does not check that a flush continues the previous one

    @contextlib.asynccontextmanager
    async def around(self, directory: Path) -> AsyncIterator[None]:
        async with run_analytics_server() as self.server:
            self.server.fault = take_quickly
            yield

    def make_sink(self, directory: Path) -> AnalyticsSink:
        return AnalyticsSink(AnalyticsConfig(url=self.server.url))

    async def read_back(self, opened: OpenSink) -> dict[str, int]:
        found: dict[str, int] = {}
        for batch in self.server.batches.values():
            for group in batch["aggregates"]:
                found[group["pattern"]] = found.get(group["pattern"], 0) + group["count"]
        return found

    @contextlib.asynccontextmanager
    async def outage(self, directory: Path) -> AsyncIterator[None]:
        async def unavailable(_: web.Request, __: AnalyticsServer) -> web.StreamResponse:
            return web.Response(status=503)

        self.server.fault = unavailable
        yield
        self.server.fault = take_quickly

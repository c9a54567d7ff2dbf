"""The analytics sink keeps the contract of a sink. The receiver knows repeated batches by their keys; only it can."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from log_aggregator_analytics import AnalyticsConfig, AnalyticsSink
from log_aggregator_dev import OpenSink, SinkContract
from plugins.analytics.tests.receiver import Receiver, receiving


async def take_quickly(request: web.Request, receiver: Receiver) -> web.StreamResponse:
    """Take a batch without looking at it closely: that would hold up the loop that the sink is measured in."""
    batch = json.loads(await request.read())
    receiver.batches.setdefault(request.headers["Idempotency-Key"], batch)
    return web.json_response({"taken": True}, status=202)


class TestAnalytics(SinkContract):
    exactly_once = False  # it cannot refuse a flush that does not continue what the receiver has

    @contextlib.asynccontextmanager
    async def around(self, directory: Path) -> AsyncIterator[None]:
        async with receiving() as self.receiver:
            self.receiver.fault = take_quickly
            yield

    def make_sink(self, directory: Path) -> AnalyticsSink:
        return AnalyticsSink(AnalyticsConfig(url=self.receiver.url))

    async def read_back(self, opened: OpenSink) -> dict[str, int]:
        found: dict[str, int] = {}
        for batch in self.receiver.batches.values():
            for group in batch["aggregates"]:
                found[group["pattern"]] = found.get(group["pattern"], 0) + group["count"]
        return found

    @contextlib.asynccontextmanager
    async def outage(self, directory: Path) -> AsyncIterator[None]:
        async def unavailable(_: web.Request, __: Receiver) -> web.StreamResponse:
            return web.Response(status=503)

        self.receiver.fault = unavailable
        yield
        self.receiver.fault = take_quickly

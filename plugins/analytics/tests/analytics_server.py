"""An analytics service for tests: validates and records batches, deduplicates by key, and fails on request."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

from aiohttp import web

from plugins.analytics.tests.factories import VALIDATOR

Fault = Callable[[web.Request, "AnalyticsServer"], Awaitable[web.StreamResponse]]


class AnalyticsServer:
    """`batches` holds the accepted batches by key; `seen` counts requests by key. While set, `fault` responds."""

    def __init__(self) -> None:
        self.url = ""
        self.batches: dict[str, dict[str, Any]] = {}
        self.seen: Counter[str] = Counter()
        self.fault: Fault | None = None
        self.hit = asyncio.Event()
        self.released = asyncio.Event()

    @property
    def logs(self) -> int:
        """Logs of all batches, each batch counted once."""
        return sum(group["count"] for batch in self.batches.values() for group in batch["aggregates"])

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Validate and record a batch."""
        batch = json.loads(await request.read())
        VALIDATOR.validate(batch)
        key = request.headers["Idempotency-Key"]
        assert batch["batch"]["key"] == key
        self.seen[key] += 1
        self.batches.setdefault(key, batch)
        return web.json_response({"taken": True}, status=202)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Respond to a request with `fault` if it is set, else record the batch."""
        self.hit.set()
        return await (self.fault(request, self) if self.fault else self.take(request))


@asynccontextmanager
async def run_analytics_server(ssl: SSLContext | None = None) -> AsyncIterator[AnalyticsServer]:
    """Run an analytics server on a free port."""
    server = AnalyticsServer()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl)
    await site.start()
    server.url = f"{'https' if ssl else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.released.set()
        await runner.cleanup()

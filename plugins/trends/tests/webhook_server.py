"""A real HTTP server that records requests and responds as the test specifies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

DEADLINE = 120.0


class WebhookServer:
    """Uses `responses` (status, headers) one per request, then 200. Records the requests that it accepted."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[Any] = []
        self.paths: list[str] = []
        self.methods: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.responses: list[tuple[int, dict[str, str]]] = []
        self.requests = 0
        self._came = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        async with self._came:
            self.requests += 1
            status, headers = self.responses.pop(0) if self.responses else (200, {})
            if status < 300:
                self.bodies.append(body)
                self.paths.append(request.path)
                self.methods.append(request.method)
                self.headers.append(dict(request.headers))
            self._came.notify_all()
        return web.Response(status=status, headers=headers)

    async def wait_for(self, count: int) -> list[Any]:
        """Wait until `count` requests were accepted; returns their bodies."""
        async with asyncio.timeout(DEADLINE), self._came:
            await self._came.wait_for(lambda: len(self.bodies) >= count)
        return self.bodies

    async def wait_for_requests(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE), self._came:
            await self._came.wait_for(lambda: self.requests >= count)


@asynccontextmanager
async def run_webhook_server() -> AsyncIterator[WebhookServer]:
    server = WebhookServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()

"""A real HTTP server that remembers what it was sent and answers what the test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

DEADLINE = 20.0


class Receiver:
    """`answers` are used up one by one; then it is 200. `hang` lets requests wait until it is cleared."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[Any] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.tries = 0
        self._came = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        async with self._came:
            self.tries += 1
            status, headers = self.answers.pop(0) if self.answers else (200, {})
            if status < 300:
                self.bodies.append(body)
                self.paths.append(request.path)
                self.headers.append(dict(request.headers))
            self._came.notify_all()
        return web.Response(status=status, headers=headers)

    async def wait_for(self, count: int) -> list[Any]:
        """The bodies, once there are `count`."""
        async with asyncio.timeout(DEADLINE), self._came:
            await self._came.wait_for(lambda: len(self.bodies) >= count)
        return self.bodies

    async def wait_for_tries(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE), self._came:
            await self._came.wait_for(lambda: self.tries >= count)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}"
    try:
        yield receiver
    finally:
        await runner.cleanup()

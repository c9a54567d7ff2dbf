"""An analytics service for tests: keeps what it is sent, counts each key once, and misbehaves on request."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

from aiohttp import web

from plugins.analytics.tests.made import VALIDATOR

Fault = Callable[[web.Request, "Receiver"], Awaitable[web.StreamResponse]]


class Receiver:
    """`batches` holds what was taken, by key. `fault` answers instead while it is set."""

    def __init__(self) -> None:
        self.url = ""
        self.batches: dict[str, dict[str, Any]] = {}
        self.seen: Counter[str] = Counter()
        self.fault: Fault | None = None
        self.hit = asyncio.Event()
        self.released = asyncio.Event()

    @property
    def logs(self) -> int:
        """Logs of all batches, each counted once."""
        return sum(group["count"] for batch in self.batches.values() for group in batch["aggregates"])

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Check and keep a batch."""
        batch = json.loads(await request.read())
        VALIDATOR.validate(batch)
        key = request.headers["Idempotency-Key"]
        assert batch["batch"]["key"] == key
        self.seen[key] += 1
        self.batches.setdefault(key, batch)
        return web.json_response({"taken": True}, status=202)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What the server does with a request."""
        self.hit.set()
        return await (self.fault(request, self) if self.fault else self.take(request))


@asynccontextmanager
async def receiving(ssl: SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{tail:.*}", receiver.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl)
    await site.start()
    receiver.url = f"{'https' if ssl else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        receiver.released.set()
        await runner.cleanup()

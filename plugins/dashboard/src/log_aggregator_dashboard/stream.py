"""The live tail over server-sent events."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec
from aiohttp import hdrs, web

from log_aggregator.http.app import STOPPING
from log_aggregator_dashboard.tails import Tail

TICK = 0.25
"""Seconds between two looks at what waits for a watcher."""

KEEP_ALIVE = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the connection."""

STREAM_HEADERS = {
    hdrs.CONTENT_TYPE: "text/event-stream",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Accel-Buffering": "no",
}


async def stream(request: web.Request, tail: Tail) -> web.StreamResponse:
    """Send what the watcher is offered until the browser goes or the service stops."""
    watcher = tail.watcher
    response = web.StreamResponse(headers=STREAM_HEADERS)
    await response.prepare(request)
    with suppress(ConnectionError):
        await tail.write(response, b": watching\n\n")
        silent = 0.0
        stopping = request.app[STOPPING]
        while not stopping.is_set() and request.transport is not None:  # a closed connection has none
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await stopping.wait()
            logs, missed = watcher.take()
            passed = watcher.take_passed()
            silent = 0.0 if logs or passed else silent + TICK
            if logs or passed:
                event = {"logs": logs, "missed": missed, "passed": passed}
                await tail.write(response, b"data: %b\n\n" % msgspec.json.encode(event))
            elif silent >= KEEP_ALIVE:
                silent = 0.0
                await tail.write(response, b": nothing new\n\n")
    return response

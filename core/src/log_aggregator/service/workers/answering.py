"""Answers the other workers, on a Unix socket that only this user can reach."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec
from aiohttp import web

from log_aggregator.config.place import Place
from log_aggregator.errors import PermanentError
from log_aggregator.http.backend import Handler, HealthReport
from log_aggregator.journal import decode_flush
from log_aggregator.model.receipt import Receipt
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import Link, SentAggregates
from log_aggregator.service.workers.forwarded import FORWARDED, answer_forwarded
from log_aggregator.service.workers.shared_plugins import OneAtATime
from log_aggregator.service.workers.wire import (
    ERRORS,
    decode_aggregates_request,
    decode_request,
    status_of,
)


class Answerer(Protocol):
    """The process that answers, for itself alone."""

    async def submit(self, records: list[Record], *, key: str | None = None, digest: bytes = b"") -> Receipt:
        """Accept one request."""

    async def submit_aggregates(self, plugin: str, sent: SentAggregates, link: Link) -> Receipt:
        """Accept one delivery of another service."""

    async def flush(self, deadline: float) -> dict[str, Any]:
        """Seal and wait for the sinks."""

    def stats(self) -> dict[str, Any]:
        """Totals and state."""

    async def health(self) -> HealthReport:
        """The status and its checks."""


@asynccontextmanager
async def answering(
    node: Answerer,
    place: Place,
    sinks: Mapping[str, OneAtATime],
    routes: Callable[[], Iterable[tuple[str, str, Handler]]] = tuple,
) -> AsyncIterator[None]:
    """Answer the other workers until the end of the block.

    `sinks` are those that they deliver to, by name; `routes` are those of plugins, to which they forward calls.
    """

    async def stats(_: web.Request) -> web.Response:
        return _json(node.stats())

    async def health(_: web.Request) -> web.Response:
        return _json(list(await node.health()))

    async def flush(request: web.Request) -> web.Response:
        return _json(await node.flush(float(request.query["deadline"])))

    async def deliver(request: web.Request) -> web.Response:
        try:
            flush = await asyncio.to_thread(decode_flush, await request.read())
            await sinks[request.match_info["name"]](flush=flush)
        except PermanentError as error:
            return web.Response(status=422, text=str(error))
        except Exception as error:  # noqa: BLE001  whatever the sink raises, the asking lane tries again
            return web.Response(status=503, text=sinks[request.match_info["name"]].named(error))
        return web.Response(status=204)

    async def submit(request: web.Request) -> web.Response:
        records, key, digest = decode_request(await request.read())
        try:
            return _json(await node.submit(records, key=key, digest=digest))
        except tuple(ERRORS.values()) as error:
            return web.Response(status=status_of(error), text=str(error))

    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/submit", submit)
    app.router.add_post("/submit-aggregates", _submitting_aggregates(node))
    app.router.add_get("/stats", stats)
    app.router.add_get("/health", health)
    app.router.add_post("/flush", flush)
    app.router.add_post("/flushes/{name}", deliver)
    app.router.add_post(FORWARDED, answer_forwarded(routes))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    path = place.socket_of(place.number)
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()  # noqa: ASYNC240  of a worker that died; one call at the start
    await web.UnixSite(runner, path).start()
    try:
        yield
    finally:
        await runner.cleanup()


def _submitting_aggregates(node: Answerer) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def submit(request: web.Request) -> web.Response:
        try:
            return _json(await node.submit_aggregates(*decode_aggregates_request(await request.read())))
        except tuple(ERRORS.values()) as error:
            return web.Response(status=status_of(error), text=str(error))

    return submit


def _json(value: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")

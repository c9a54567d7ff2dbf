"""A sink as an author types it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import assert_type

from aiohttp import web
from pydantic import BaseModel

from log_aggregator import RetryableError, Service, hookimpl
from log_aggregator.sinks import Aggregate, Alias, Anomaly, Flush, PermanentError, Position


class Sink:
    """Reads everything that a flush holds."""

    class Config(BaseModel):
        url: str

    def __init__(self, config: Config) -> None:
        self.url = config.url
        self.stored: Position | None = None

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        if flush.is_stored(self.stored):
            return
        assert_type(flush.identity, str)
        assert_type(flush.aggregates, tuple[Aggregate, ...])
        assert_type(flush.aliases, tuple[Alias, ...])
        assert_type(flush.anomalies, tuple[Anomaly, ...])
        if not self.url:
            raise PermanentError("no URL")
        if flush.logs > 1_000:
            raise RetryableError("too much", retry_after=1.5)
        self.stored = flush.position

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        async def health() -> str | None:
            return None

        async def page(request: web.Request) -> web.StreamResponse:
            return web.json_response({"path": request.path})

        service.add_health_check("sink", health)
        service.add_route("GET", "/sink", page, scope="read")
        yield


def what_a_sink_may_not_do(flush: Flush, service: Service) -> None:
    """mypy reports each of these lines."""
    flush.logs = 3  # type: ignore[misc]  # frozen
    service.add_route("GET", "/x", print)  # type: ignore[arg-type]  # not a coroutine function
    service.add_route("GET", "/x", page, scope="root")  # type: ignore[arg-type]  # no such scope


async def page(request: web.Request) -> web.StreamResponse:
    """A handler."""
    return web.json_response({"path": request.path})

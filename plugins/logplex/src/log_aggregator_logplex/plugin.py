"""The plugin: the route of an HTTPS drain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Service, hookimpl
from log_aggregator.http.receiving import ROUTE_PREFIX, HttpProtocol, HttpReceiver, Problem, SentBody, Taken
from log_aggregator_logplex.frames import read


class LogplexConfig(BaseModel):
    """Options of the Logplex receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field("/logplex", min_length=1, pattern=ROUTE_PREFIX, description="path that takes the drain's logs")


class LogplexReceiver:
    """Receives what Heroku's log router, Logplex, posts to a drain."""

    Config = LogplexConfig
    api = ">=1,<2"

    def __init__(self, config: LogplexConfig) -> None:
        self._config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the route."""
        receiver = HttpReceiver(service)
        receiver.add_route("POST", self._config.path, HttpProtocol(read, _answer, _refuse))
        service.add_stats("logplex", receiver.stats)
        yield


def _answer(_: SentBody, taken: Taken) -> web.Response:
    """204, also when a message was bad: the drain would throw the others away with it."""
    return web.Response(status=204)


def _refuse(_: web.Request, problem: Problem) -> web.Response:
    return web.Response(text=problem.detail + "\n", status=problem.status)

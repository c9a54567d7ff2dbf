"""The plugin: Loki's routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Service, hookimpl
from log_aggregator.http.receiving import ROUTE_PREFIX, HttpProtocol, HttpReceiver, Problem, SentBody, Taken
from log_aggregator_loki import push
from log_aggregator_loki.reading import Reading

PREFIX = "/loki/api/v1"


class LokiConfig(BaseModel):
    """Options of the Loki receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = Field("", pattern=ROUTE_PREFIX, description="before all of Loki's paths")
    queries: bool = Field(True, description="answer Loki's queries, for Grafana")


class LokiReceiver:
    """Receives what Loki's clients push, and answers what aggregates can answer of Loki's queries."""

    Config = LokiConfig
    api = ">=1,<2"

    def __init__(self, config: LokiConfig) -> None:
        self._config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the routes."""
        prefix = self._config.prefix
        receiver = HttpReceiver(service)
        protocol = HttpProtocol(push.read, _answer, _refuse, push.encoding, push.unpack)
        receiver.add_route("POST", f"{prefix}{PREFIX}/push", protocol)
        service.add_route("GET", f"{prefix}/ready", _ready, "open")
        service.add_stats("loki", receiver.stats)
        if self._config.queries:
            reading = Reading(service)
            for path, handler in reading.routes():
                service.add_route("GET", f"{prefix}{PREFIX}{path}", handler, "read", by_source=True)
                service.add_route("POST", f"{prefix}{PREFIX}{path}", handler, "read", by_source=True)
        yield


def _answer(_: SentBody, taken: Taken) -> web.Response:
    """204, also when a line was bad: a 400 would make the agent throw the whole batch away."""
    return web.Response(status=204)


def _refuse(_: web.Request, problem: Problem) -> web.Response:
    return web.Response(text=problem.detail + "\n", status=problem.status)


async def _ready(_: web.Request) -> web.Response:
    return web.Response(text="ready\n")

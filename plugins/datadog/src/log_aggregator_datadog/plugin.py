"""The plugin: the routes of Datadog's log intake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Service, hookimpl
from log_aggregator.http.receiving import ROUTE_PREFIX, HttpProtocol, HttpReceiver, Problem, SentBody, Taken
from log_aggregator_datadog.logs import read

PATHS = ("/api/v2/logs", "/v1/input", "/v1/input/{key}")


class DatadogConfig(BaseModel):
    """Options of the Datadog receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = Field("", pattern=ROUTE_PREFIX, description="before all of Datadog's paths")


class DatadogReceiver:
    """Receives what Datadog's agent, Fluent Bit, Vector and Datadog's libraries send."""

    Config = DatadogConfig
    api = ">=1,<2"

    def __init__(self, config: DatadogConfig) -> None:
        self._config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the routes."""
        prefix = self._config.prefix
        receiver = HttpReceiver(service)
        for path in PATHS:
            receiver.add_route("POST", prefix + path, HttpProtocol(read, _answer, _refuse), credentials=credentials)
        service.add_route("GET", f"{prefix}/api/v1/validate", _validate, "ingest", credentials=credentials)
        service.add_stats("datadog", receiver.stats)
        yield


def credentials(request: web.Request) -> str | None:
    """The API key in `DD-API-KEY`, in the query, or in the path as old clients have it."""
    query = request.query
    return (
        request.headers.get("DD-API-KEY")
        or query.get("dd-api-key")
        or query.get("api_key")
        or request.match_info.get("key")
    )


def _answer(_: SentBody, taken: Taken) -> web.Response:
    """202, also when a log was bad: agents throw the whole batch away that is answered 400."""
    return _json({}, 202)


def _refuse(_: web.Request, problem: Problem) -> web.Response:
    """Agents repeat for ever what is answered 404, 415 or 422, and nothing would come after it: they get 400."""
    status = 400 if problem.status in (404, 415, 422) else problem.status
    error = {"status": str(status), "title": problem.detail, "detail": problem.detail}
    return _json({"errors": [error]}, status)


async def _validate(_: web.Request) -> web.StreamResponse:
    return _json({"valid": True})


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), status=status, content_type="application/json")

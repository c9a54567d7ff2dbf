"""The plugin: the route of an HTTP endpoint delivery.

https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Service, hookimpl
from log_aggregator.http.receiving import ROUTE_PREFIX, HttpProtocol, HttpReceiver, Problem, SentBody, Taken
from log_aggregator_firehose.delivery import unpack
from log_aggregator_firehose.events import read

REQUEST_ID = "X-Amz-Firehose-Request-Id"


class FirehoseConfig(BaseModel):
    """Options of the Firehose receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field("/firehose", min_length=1, pattern=ROUTE_PREFIX, description="path that takes deliveries")


class FirehoseReceiver:
    """Receives deliveries of Firehose: log events of CloudWatch, and lines of text or JSON."""

    Config = FirehoseConfig
    api = ">=1,<2"

    def __init__(self, config: FirehoseConfig) -> None:
        self._config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the route."""
        receiver = HttpReceiver(service)
        protocol = HttpProtocol(read, _answer, _refuse, unpack=unpack)
        receiver.add_route("POST", self._config.path, protocol, credentials=credentials)
        service.add_stats("firehose", receiver.stats)
        yield


def credentials(request: web.Request) -> str | None:
    """The API key: what Firehose calls the access key of the endpoint."""
    return request.headers.get("X-Amz-Firehose-Access-Key")


def _answer(sent: SentBody, taken: Taken) -> web.Response:
    """200, also when a log was bad: otherwise all of them would come again, for hours."""
    return _json(sent.request_id or sent.request.headers.get(REQUEST_ID, ""), 200)


def _refuse(request: web.Request, problem: Problem) -> web.Response:
    return _json(request.headers.get(REQUEST_ID, ""), problem.status, problem.detail)


def _json(request_id: str, status: int, error: str = "") -> web.Response:
    """Firehose takes no answer for one that does not name its request and a time."""
    document: dict[str, object] = {"requestId": request_id, "timestamp": time.time_ns() // 1_000_000}
    if error:
        document["errorMessage"] = error
    return web.Response(body=msgspec.json.encode(document), status=status, content_type="application/json")

"""The plugin: the routes of the HTTP Event Collector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import msgspec
from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Service, hookimpl
from log_aggregator.http.receiving import ROUTE_PREFIX, HttpProtocol, HttpReceiver, Problem, SentBody, Taken
from log_aggregator_splunk_hec.events import read_events, read_raw

EVENTS = ("", "/event", "/event/1.0")
RAW = ("/raw", "/raw/1.0")
MOST_ACKS = 1000

_CODES = {401: 2, 403: 4, 413: 27, 429: 9, 503: 9}
"""HEC's own codes by HTTP status; 6 is "invalid data format"."""

_TEXTS = {"No data": 5, "Event field is required": 12}


class SplunkHecConfig(BaseModel):
    """Options of the Splunk HEC receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = Field("/services/collector", min_length=1, pattern=ROUTE_PREFIX, description="path that takes events")


class SplunkHecReceiver:
    """Receives what Docker's splunk driver, Fluent Bit, Vector and Splunk's libraries send."""

    Config = SplunkHecConfig
    api = ">=1,<2"

    def __init__(self, config: SplunkHecConfig) -> None:
        self._config = config
        self._acks = count()

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the routes."""
        prefix = self._config.prefix
        receiver = HttpReceiver(service)
        for paths, read in ((EVENTS, read_events), (RAW, read_raw)):
            for path in paths:
                protocol = HttpProtocol(_with_token(read), self._answer, _refuse)
                receiver.add_route("POST", prefix + path, protocol, credentials=credentials)
                service.add_route("OPTIONS", prefix + path, _options, "open")
        service.add_route("POST", f"{prefix}/ack", _acknowledged, "ingest", credentials=credentials)
        for path in ("/health", "/health/1.0"):
            service.add_route("GET", prefix + path, _health, "open")
        service.add_stats("splunk-hec", receiver.stats)
        yield

    def _answer(self, sent: SentBody, taken: Taken) -> web.Response:
        if taken.rejected and not taken.accepted:
            return _refuse(sent.request, Problem(400, "Event field is required"))
        document: dict[str, Any] = {"text": "Success", "code": 0}
        if _channel(sent.request):
            document["ackId"] = next(self._acks)
        return _json(document)


def credentials(request: web.Request) -> str | None:
    """The API key in `Authorization: Splunk`, or in the query."""
    kind, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return value.strip() if kind.lower() == "splunk" else request.query.get("token")


def _with_token(read: Any) -> Any:
    """HEC never takes events without a token; a client without one is not configured yet."""

    def checked(sent: SentBody) -> Any:
        if not (sent.request.headers.get(hdrs.AUTHORIZATION) or sent.request.query.get("token")):
            raise Problem(401, "Token is required")
        return read(sent)

    return checked


def _refuse(_: web.Request, problem: Problem) -> web.Response:
    code = _TEXTS.get(problem.detail) or _CODES.get(problem.status, 6)
    text = "Server is busy" if code == 9 else problem.detail
    return _json({"text": text, "code": code}, problem.status)


def _channel(request: web.Request) -> str:
    return request.headers.get("X-Splunk-Request-Channel") or request.query.get("channel", "")


async def _options(_: web.Request) -> web.StreamResponse:
    """Docker asks this before it starts a container."""
    return web.Response(headers={hdrs.ALLOW: "OPTIONS, POST"})


async def _acknowledged(request: web.Request) -> web.StreamResponse:
    """What was answered is on disk, so every ackId is acknowledged."""
    try:
        asked = msgspec.json.decode(await request.content.read(65_536))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        asked = None
    acks = asked.get("acks") if isinstance(asked, dict) else None
    if not isinstance(acks, list):
        return _json({"text": "Invalid data format", "code": 6}, 400)
    return _json({"acks": {str(ack): True for ack in acks[:MOST_ACKS] if isinstance(ack, int)}})


async def _health(_: web.Request) -> web.StreamResponse:
    return _json({"text": "HEC is healthy", "code": 17})


def _json(document: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), status=status, content_type="application/json")

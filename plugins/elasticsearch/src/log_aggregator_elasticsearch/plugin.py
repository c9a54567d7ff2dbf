"""The plugin: Elasticsearch's routes below a prefix, because `/` is the dashboard's."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Service, hookimpl
from log_aggregator.http.receiving import ROUTE_PREFIX, HttpProtocol, HttpReceiver
from log_aggregator_elasticsearch import handshake
from log_aggregator_elasticsearch.answers import refuse
from log_aggregator_elasticsearch.bulk import answer_bulk, answer_one, kept, read_bulk, read_one
from log_aggregator_elasticsearch.ids import StoredIds

BULK = ("/_bulk", "/{index}/_bulk", "/{index}/{type}/_bulk")
TYPED = "/{index:[^_/][^/]*}/{type:[^_/][^/]*}"
"""Where clients of Elasticsearch 6 and before send a document without an id."""

DOCUMENT = ("/{index}/_doc", "/{index}/_doc/{id}", "/{index}/_create/{id}", TYPED + "/{id}")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")


class ElasticsearchConfig(BaseModel):
    """Options of the Elasticsearch receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = Field("/elasticsearch", min_length=1, pattern=ROUTE_PREFIX, description="before all paths")
    version: str = Field(
        "", pattern=r"^(\d+\.\d+\.\d+)?$", description="version that clients are told; empty: what suits each"
    )


class ElasticsearchReceiver:
    """Receives what Beats, Logstash, Vector, Fluent Bit and Elasticsearch's libraries send."""

    Config = ElasticsearchConfig
    api = ">=1,<2"

    def __init__(self, config: ElasticsearchConfig) -> None:
        self._config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the routes."""
        prefix = self._config.prefix
        receiver = HttpReceiver(service)
        stored = StoredIds(service.position)
        bulk = HttpProtocol(
            lambda sent: read_bulk(sent, stored), answer_bulk, refuse, keep=lambda sent: kept(sent, stored)
        )
        one = HttpProtocol(
            lambda sent: read_one(sent, stored), answer_one, refuse, keep=lambda sent: kept(sent, stored)
        )
        for method in ("POST", "PUT"):
            for path in BULK:
                receiver.add_route(method, prefix + path, bulk, credentials=credentials)
            for path in DOCUMENT:
                receiver.add_route(method, prefix + path, one, credentials=credentials)
        receiver.add_route("POST", prefix + TYPED, one, credentials=credentials)
        for method, path, handler in handshake.routes(self._config.version):
            service.add_route(method, prefix + path, handler, "ingest", credentials=credentials)
        for method in METHODS:
            service.add_route(method, prefix + "/{rest:.+}", handshake.not_served, "ingest", credentials=credentials)
        service.add_stats("elasticsearch", receiver.stats)
        yield


def credentials(request: web.Request) -> str | None:
    """The API key in `Authorization: ApiKey`: as it is, or in base64 behind an id, as clients write it."""
    kind, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if kind.lower() != "apikey":
        return None
    value = value.strip()
    try:
        decoded = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return value
    return decoded.partition(":")[2] if ":" in decoded else decoded

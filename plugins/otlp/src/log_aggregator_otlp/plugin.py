"""The plugin: `POST /v1/logs`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Record, Service, hookimpl
from log_aggregator.http.receiving import ROUTE_PREFIX, HttpProtocol, HttpReceiver, SentBody
from log_aggregator.receivers import BadLogError
from log_aggregator_otlp import json_form, protobuf
from log_aggregator_otlp.answers import answer, is_json, refuse


class OtlpConfig(BaseModel):
    """Options of the OTLP receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field("/v1/logs", min_length=1, pattern=ROUTE_PREFIX, description="path that takes logs")


class OtlpReceiver:
    """Receives what OpenTelemetry's SDKs and collectors export over HTTP."""

    Config = OtlpConfig
    api = ">=1,<2"

    def __init__(self, config: OtlpConfig) -> None:
        self._config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the route."""
        receiver = HttpReceiver(service)
        receiver.add_route("POST", self._config.path, HttpProtocol(_read, answer, refuse))
        service.add_stats("otlp", receiver.stats)
        yield


def _read(sent: SentBody) -> Iterable[Record | BadLogError]:
    return json_form.read(sent) if is_json(sent.request, sent.body) else protobuf.read(sent)

"""The plugin: `GET /metrics`, put together anew at every scrape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from aiohttp import web
from prometheus_client import ProcessCollector
from prometheus_client.core import InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Service, hookimpl
from log_aggregator.store import StoreHealth
from log_aggregator_prometheus import families
from log_aggregator_prometheus.labels import Sources


class PrometheusConfig(BaseModel):
    """Options of the metrics."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field("/metrics", pattern="^/[A-Za-z0-9._~/-]*$", description="where the metrics are")
    max_sources: int = Field(100, ge=0, le=1000, description="sources whose errors are shown apart")
    store_deadline: float = Field(2.0, gt=0, le=10, description="seconds that the store has to say how it is")


class _Page:
    """All metrics at one moment: what the encoders of the client library ask for."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        """The metrics, by family."""
        return self._metrics


class PrometheusMetrics:
    """Shows the service's figures to Prometheus. Keeps none of its own: the global registry is not used."""

    Config = PrometheusConfig

    def __init__(self, config: PrometheusConfig) -> None:
        self._config = config
        self._sources = Sources(config.max_sources)
        self._process = ProcessCollector(registry=None)
        self._version = version("log-aggregator")
        self._scrapes = 0

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the metrics."""

        async def scrape(request: web.Request) -> web.StreamResponse:
            return await self._answer(service, request)

        service.add_route("GET", self._config.path, scrape)
        service.add_figures("prometheus", lambda: {"scrapes": self._scrapes})
        yield

    async def _answer(self, service: Service, request: web.Request) -> web.StreamResponse:
        self._scrapes += 1
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        health = await self._store_health(service)
        body = encode(_Page(list(self._metrics(await service.stats(), health))))
        response = web.Response(body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})
        response.enable_compression()
        return response

    def _metrics(self, stats: dict[str, Any], health: StoreHealth | None) -> Iterator[Metric]:
        info = InfoMetricFamily(f"{families.PREFIX}_build", "The release that runs.", value={"version": self._version})
        yield info
        yield from families.of_service(stats)
        yield from families.of_logs(stats, self._sources)
        yield from families.of_sinks(stats)
        yield from families.of_plugins(stats)
        yield from families.of_store(health)
        yield from self._process.collect()

    async def _store_health(self, service: Service) -> StoreHealth | None:
        """A store that does not answer in time must not cost the other metrics."""
        if service.store is None:
            return None
        try:
            async with asyncio.timeout(self._config.store_deadline):
                return await service.store.health()
        except TimeoutError:
            return StoreHealth(reachable=False)

"""The plugin: `GET /metrics`, put together anew at every scrape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Service, hookimpl
from log_aggregator.store import StoreHealth
from log_aggregator_prometheus.labels import Sources


class PrometheusConfig(BaseModel):
    """Options of the metrics."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field("/metrics", pattern="^/[A-Za-z0-9._~/-]*$", description="where the metrics are")
    max_sources: int = Field(100, ge=0, le=1000, description="sources whose errors are shown apart")
    store_deadline: float = Field(2.0, gt=0, le=10, description="seconds that the store has to say how it is")


class PrometheusMetrics:
    """Shows the service's figures to Prometheus. Keeps none of its own: the global registry is not used."""

    Config = PrometheusConfig

    def __init__(self, config: PrometheusConfig) -> None:
        self._config = config
        self._sources = Sources(config.max_sources)
        self._scrapes = 0

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the metrics."""

        async def scrape(request: web.Request) -> web.StreamResponse:
            return await self._answer(service, request)

        service.add_route("GET", self._config.path, scrape)
        service.add_stats("prometheus", lambda: {"scrapes": self._scrapes})
        yield

    async def _answer(self, service: Service, request: web.Request) -> web.StreamResponse:
        self._scrapes += 1
        # Not before somebody scrapes: the client library takes more than a megabyte.
        module = await asyncio.to_thread(import_module, "log_aggregator_prometheus.page")
        health = await self._store_health(service)
        accept = request.headers.get("Accept", "")
        body, content_type = module.page(accept, await service.stats(), health, self._sources)
        response = web.Response(body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})
        response.enable_compression()
        return response

    async def _store_health(self, service: Service) -> StoreHealth | None:
        """A store that does not answer in time must not cost the other metrics."""
        if service.store is None:
            return None
        try:
            async with asyncio.timeout(self._config.store_deadline):
                return await service.store.health()
        except TimeoutError:
            return StoreHealth(reachable=False)

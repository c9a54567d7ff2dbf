"""The plugin: the page, its files, and the live tail over server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec
from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from log_aggregator import Batch, Hooks, Service, hookimpl
from log_aggregator.http.access.auth import KEY, allowed_sources, needs
from log_aggregator.http.access.clients import Clients
from log_aggregator.http.problem import Problem, busy
from log_aggregator_dashboard.assets import LANGUAGES, Asset, language_of, read_assets
from log_aggregator_dashboard.places import DashboardHooks, Places
from log_aggregator_dashboard.sparks import Sparks
from log_aggregator_dashboard.stream import STREAM_HEADERS, stream
from log_aggregator_dashboard.tail import Wanted, Watcher
from log_aggregator_dashboard.tails import Tail, Tails

Link = Annotated[str, Field(pattern=r"^https?://[^\s]*\{[^{}]+\}", max_length=2000)]
"""An address with at least one `{key}`, a key of the metadata."""


class DashboardConfig(BaseModel):
    """Options of the dashboard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field("/", pattern="^/([A-Za-z0-9._~-]+/)*$", description="where the page is; ends in /")
    max_tails: int = Field(20, ge=1, le=1000, description="live tails at a time")
    links: dict[str, Link] = Field(
        default={}, description="links out of a sample, by their text; {key} is a value of its metadata"
    )


class Dashboard:
    """Serves the page. It reads the service's own API, so it can show nothing that the API would not."""

    Config = DashboardConfig
    hookspecs = DashboardHooks

    def __init__(self, config: DashboardConfig) -> None:
        self._config = config
        self._tails = Tails(config.max_tails)
        self._clients: Clients | None = None
        self._assets: dict[str, Asset] = {}
        self._pages: dict[str, Asset] = {}
        self._version = ""
        self._places = Places()
        self._files: dict[tuple[str, str], Asset] = {}

    def assemble(self, hooks: Hooks) -> None:
        """Learn which places other plugins fill."""
        self._places.assemble(hooks)

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        """Offer the batch to those who watch. Changes nothing."""
        if self._tails:
            records = list(batch)
            for tail in self._tails:
                tail.watcher.offer(records)

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the page, its files and the tail."""
        root = "../" * (self._config.path.count("/") - 1)
        values = {
            "bucket": str(service.settings.aggregation_bucket),
            "workers": service.settings.workers,
            "root": root or "./",
            "links": msgspec.json.encode(self._config.links).decode(),
            "places": self._places.described(),
        }
        self._clients = Clients(service.settings.trusted_proxies)
        self._version, self._assets = await asyncio.to_thread(read_assets, values)
        self._files = await asyncio.to_thread(self._places.files)
        service.add_route("GET", self._config.path, self._page)
        service.add_route("GET", f"{self._config.path}dashboard/tail", self._tail)
        service.add_route("GET", f"{self._config.path}dashboard/sparks", Sparks(service).answer)
        service.add_route("GET", f"{self._config.path}dashboard/{{name}}", self._file)
        service.add_route("GET", f"{self._config.path}dashboard/{{version}}/{{name}}", self._file)
        service.add_route("GET", f"{self._config.path}dashboard/plugins/{{plugin}}/{{name}}", self._file_of_plugin)
        service.add_stats("dashboard", lambda: {"tails": len(self._tails)})
        yield

    @needs(None)
    async def _page(self, request: web.Request) -> web.StreamResponse:
        """The page itself tells nothing, so it is open: it asks for the key that the API wants."""
        if not self._pages:
            page = self._assets["index.html"].filled({"calls": _calls(request.app)})
            self._pages = {name: page.filled({"language": name}) for name in LANGUAGES}
        return self._pages[language_of(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))].response(request)

    @needs(None)
    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        asset = self._assets.get(name)
        if asset is None or name == "index.html":
            raise web.HTTPNotFound
        return asset.response(request, immutable=request.match_info.get("version") == self._version)

    @needs(None)
    async def _file_of_plugin(self, request: web.Request) -> web.StreamResponse:
        """Files of plugins are as open as the page: they ask the API for what they show, with the reader's key."""
        asset = self._files.get((request.match_info["plugin"], request.match_info["name"]))
        if asset is None:
            raise web.HTTPNotFound
        return asset.response(request)

    @needs("read", by_source=True)
    async def _tail(self, request: web.Request) -> web.StreamResponse:
        try:
            wanted = Wanted.model_validate(dict(request.query))
        except ValidationError:
            raise Problem(422, "expected the parameters level, source and q, and no others") from None
        if request.method == hdrs.METH_HEAD:
            return web.Response(headers=STREAM_HEADERS)
        allowed = allowed_sources(request, wanted.source or None)
        key = request.get(KEY)
        watcher = Watcher(wanted, key.covers if key is not None and allowed else None)
        assert self._clients is not None and request.transport is not None  # noqa: PT018  as lifespan has run
        tail = Tail(watcher, self._clients.of(request), request.transport)
        if not self._tails.open(tail):
            raise busy(503, "too many live tails are open; close one, or raise max_tails", 5.0)
        try:
            return await stream(request, tail)
        finally:
            self._tails.close(tail)


def _calls(app: web.Application) -> str:
    """Which calls the service answers, those of all plugins among them. They are known once it has started."""
    found = ((route.method, route.resource) for route in app.router.routes() if route.method != hdrs.METH_HEAD)
    return ",".join(sorted({f"{method} {resource.canonical}" for method, resource in found if resource is not None}))

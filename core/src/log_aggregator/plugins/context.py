"""The service as one plugin sees it: the `Service` that `lifespan` is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from aiohttp import web

from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.hookspecs import RouteScope
from log_aggregator.model.aggregate import Alias, Anomaly
from log_aggregator.model.record import Record
from log_aggregator.store import Store

if TYPE_CHECKING:
    from log_aggregator.service.service import Service

Check = Callable[[], Awaitable[str | None]]
Figures = Callable[[], dict[str, Any]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Registrations:
    """What the plugins have registered, in the file's order."""

    def __init__(self) -> None:
        self.routes: list[tuple[str, str, Handler]] = []
        self.checks: dict[str, Check] = {}
        self.figures: dict[str, Figures] = {}
        self.stores: list[tuple[str, Store]] = []


class PluginContext:
    """Implements `hookspecs.Service` for the plugin `name`."""

    def __init__(self, service: Service, name: str, registrations: Registrations) -> None:
        self._service = service
        self._name = name
        self._registrations = registrations

    @property
    def data_dir(self) -> Path:
        """The service's data directory."""
        return self._service.settings.data_dir

    @property
    def shared_dir(self) -> Path:
        """The data directory of all workers."""
        return self._service.shared_dir

    @property
    def instance(self) -> str:
        """The identity of the data directory."""
        return self._service.instance

    @property
    def settings(self) -> Settings:
        """The core's settings."""
        return self._service.settings

    @property
    def store(self) -> Store | None:
        """The store that is read."""
        return self._service.store

    async def ingest(self, records: list[Record]) -> int:
        """Take records in, as HTTP does."""
        return (await self._service.take(list(records))).accepted

    def emit(self, event: Alias | Anomaly) -> None:
        """Let an event ride on the next flush."""
        self._service.pipeline.emit(event)

    def add_route(self, method: str, path: str, handler: Handler, scope: RouteScope | None = None) -> None:
        """Serve an HTTP route, for API keys of a scope."""
        if self._service.running:
            raise ConfigError(f"plugin {self._name}: route {path}: routes are added in lifespan, before the start")
        if any((method, path) == known[:2] for known in self._registrations.routes):
            raise ConfigError(f"plugin {self._name}: route {method} {path} is taken by another plugin")
        if scope is not None:
            handler = self._marked(path, handler, scope)
        self._registrations.routes.append((method, path, handler))

    def _marked(self, path: str, handler: Handler, scope: RouteScope) -> Handler:
        """The handler with the mark that the guard looks for. A method can carry none, so a function does."""
        if scope not in get_args(RouteScope):
            known = ", ".join(get_args(RouteScope))
            raise ConfigError(f"plugin {self._name}: route {path}: scope {scope!r}: expected one of {known}")

        async def marked(request: web.Request) -> web.StreamResponse:
            return await handler(request)

        marked.needed_scope = None if scope == "open" else scope  # type: ignore[attr-defined]  # the mark
        return marked

    def add_health_check(self, name: str, check: Check) -> None:
        """Ask `check` at every `GET /health`."""
        self._registrations.checks[name] = check

    def add_stats(self, name: str, figures: Figures) -> None:
        """Show figures at `GET /stats`."""
        self._registrations.figures[name] = figures

    async def stats(self) -> dict[str, Any]:
        """The figures of `GET /stats`."""
        return await self._service.stats()

    def register_store(self, store: Store) -> None:
        """Offer this sink for reading."""
        self._registrations.stores.append((self._name, store))

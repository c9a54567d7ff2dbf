"""The service as one plugin sees it: the `Service` that `lifespan` is given."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Container
from pathlib import Path
from typing import Any, Protocol, get_args

from aiohttp import web

from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.hookspecs import RouteScope
from log_aggregator.model.aggregate import Alias, Anomaly
from log_aggregator.model.record import Record
from log_aggregator.plugins.reserved import check_route, is_reserved_check
from log_aggregator.store import Store

Check = Callable[[], Awaitable[str | None]]
Stats = Callable[[], dict[str, Any]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Registrations:
    """What the plugins have registered, in the file's order. No route is added once it is `complete`."""

    def __init__(self) -> None:
        self.routes: list[tuple[str, str, Handler]] = []
        self.checks: dict[str, Check] = {}
        self.stats: dict[str, Stats] = {}
        self.stores: list[Store] = []
        self.complete = False

    @property
    def store(self) -> Store | None:
        """The store that is read: the first in the file's order."""
        return self.stores[0] if self.stores else None


class Host(Protocol):
    """What a `PluginContext` needs of the service."""

    @property
    def settings(self) -> Settings:
        """The core's settings."""

    @property
    def shared_dir(self) -> Path:
        """The data directory of all workers."""

    @property
    def instance(self) -> str:
        """The identity of the data directory."""

    async def ingest(self, records: list[Record]) -> int:
        """Submit records; returns how many were accepted."""

    def emit(self, event: Alias | Anomaly) -> None:
        """Add an event to the next flush."""

    async def stats(self) -> dict[str, Any]:
        """The object of `GET /stats`."""


class PluginContext:
    """Implements `hookspecs.Service` for the plugin `name`."""

    def __init__(self, host: Host, name: str, registrations: Registrations) -> None:
        self._host = host
        self._name = name
        self._registrations = registrations

    @property
    def data_dir(self) -> Path:
        """The service's data directory."""
        return self._host.settings.data_dir

    @property
    def shared_dir(self) -> Path:
        """The data directory of all workers."""
        return self._host.shared_dir

    @property
    def instance(self) -> str:
        """The identity of the data directory."""
        return self._host.instance

    @property
    def settings(self) -> Settings:
        """The core's settings."""
        return self._host.settings

    @property
    def store(self) -> Store | None:
        """The store that is read."""
        return self._registrations.store

    async def ingest(self, records: list[Record]) -> int:
        """Submit records as HTTP does; returns how many were accepted."""
        return await self._host.ingest(list(records))

    def emit(self, event: Alias | Anomaly) -> None:
        """Add an event to the next flush."""
        self._host.emit(event)

    def add_route(self, method: str, path: str, handler: Handler, scope: RouteScope | None = None) -> None:
        """Serve an HTTP route, for API keys of a scope."""
        if self._registrations.complete:
            raise ConfigError(f"plugin {self._name}: route {path}: routes are added in lifespan, before the start")
        check_route(f"plugin {self._name}", method, path)
        if any((method, path) == known[:2] for known in self._registrations.routes):
            raise ConfigError(f"plugin {self._name}: route {method} {path} is taken by another plugin")
        if scope is not None:
            handler = self._marked(path, handler, scope)
        self._registrations.routes.append((method, path, handler))

    def _marked(self, path: str, handler: Handler, scope: RouteScope) -> Handler:
        """The handler with its scope as an attribute. A method cannot have one, so a function wraps it."""
        if scope not in get_args(RouteScope):
            known = ", ".join(get_args(RouteScope))
            raise ConfigError(f"plugin {self._name}: route {path}: scope {scope!r}: expected one of {known}")

        @functools.wraps(handler)
        async def marked(request: web.Request) -> web.StreamResponse:
            return await handler(request)

        marked.needed_scope = None if scope == "open" else scope  # type: ignore[attr-defined]  # the mark
        return marked

    def add_health_check(self, name: str, check: Check) -> None:
        """Run `check` at every `GET /health`."""
        self._check_free(name, self._registrations.checks, "health check")
        self._registrations.checks[name] = check

    def add_stats(self, name: str, figures: Stats) -> None:
        """Show what `figures` returns at `GET /stats`."""
        self._check_free(name, self._registrations.stats, "stats")
        self._registrations.stats[name] = figures

    def _check_free(self, name: str, taken: Container[str], what: str) -> None:
        if name in taken or (what == "health check" and is_reserved_check(name)):
            raise ConfigError(
                f"plugin {self._name}: {what} {name!r} is taken; expected a name of its own, such as {self._name!r}"
            )

    async def stats(self) -> dict[str, Any]:
        """The object of `GET /stats`."""
        return await self._host.stats()

    def register_store(self, store: Store) -> None:
        """Offer this sink for reading."""
        self._registrations.stores.append(store)

"""The service as a plugin under test sees it, where no service is wanted: it keeps what the plugin registers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from log_aggregator.config.settings import Settings
from log_aggregator.hookspecs import RouteScope
from log_aggregator.model.aggregate import Alias, Anomaly
from log_aggregator.model.record import Record
from log_aggregator.plugins.context import Check, Handler, Stats
from log_aggregator.store import Store


class Host:
    """Implements `hookspecs.Service` for one plugin. What the plugin did is in its attributes.

    `ingested` holds what a source fed, `events` what was emitted, `routes`, `checks`, `figures_of` and
    `stores` what was registered.
    """

    instance = "test-instance"

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        self.data_dir = self.shared_dir = data_dir
        self.settings = Settings(data_dir=data_dir, **settings)
        self.ingested: list[Record] = []
        self.events: list[Alias | Anomaly] = []
        self.routes: dict[tuple[str, str], Handler] = {}
        self.checks: dict[str, Check] = {}
        self.figures_of: dict[str, Stats] = {}
        self.stores: list[Store] = []

    @property
    def store(self) -> Store | None:
        """The first store that was registered."""
        return self.stores[0] if self.stores else None

    async def ingest(self, records: list[Record]) -> int:
        """Keep the records."""
        self.ingested += records
        return len(records)

    def emit(self, event: Alias | Anomaly) -> None:
        """Keep the event."""
        self.events.append(event)

    def add_route(
        self, method: str, path: str, handler: Handler, scope: RouteScope | None = None, by_source: bool = False
    ) -> None:
        """Keep the route."""
        self.routes[method, path] = handler

    def add_health_check(self, name: str, check: Check) -> None:
        """Keep the check."""
        self.checks[name] = check

    def add_stats(self, name: str, figures: Stats) -> None:
        """Keep the figures."""
        self.figures_of[name] = figures

    async def stats(self) -> dict[str, Any]:
        """The figures of the plugin under test; there are no others."""
        return {"plugins": {name: figures() for name, figures in self.figures_of.items()}}

    def register_store(self, store: Store) -> None:
        """Keep the store."""
        self.stores.append(store)


@contextlib.asynccontextmanager
async def living(plugin: Any, directory: Path) -> AsyncIterator[Host]:
    """Enter the plugin's lifespan, if it has one, and leave it at the end of the block."""
    host = Host(directory)
    lifespan = getattr(plugin, "lifespan", None)
    async with lifespan(service=host) if lifespan is not None else contextlib.nullcontext():
        yield host

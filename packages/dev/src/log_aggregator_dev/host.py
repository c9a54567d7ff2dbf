"""The service as a plugin under test sees it, where no service is wanted: it keeps what the plugin registers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from log_aggregator.config.place import Place
from log_aggregator.config.settings import Settings
from log_aggregator.hookspecs import RouteScope
from log_aggregator.listeners import Listener
from log_aggregator.listeners.tcp import ConnectionHandler
from log_aggregator.listeners.udp import DatagramHandler
from log_aggregator.model.aggregate import Aggregate, Alias, Anomaly, Position
from log_aggregator.model.receipt import AutomaticKey, Receipt
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import Link, SentAggregates
from log_aggregator.plugins.context import Check, Stats
from log_aggregator.plugins.route_marks import Credentials, Handler
from log_aggregator.service.receivers import Receivers
from log_aggregator.store import Store


class MemoryState:
    """Implements `hookspecs.State` in memory."""

    def __init__(self) -> None:
        self.value: bytes | None = None

    async def load(self) -> bytes | None:
        """What was saved last."""
        return self.value

    async def save(self, value: bytes) -> None:
        """Keep it."""
        self.value = bytes(value)


class Host:
    """Implements `hookspecs.Service` for one plugin. What the plugin did is in its attributes.

    `ingested` and `aggregates` hold what a receiver took in, `positions` and `chains` how far it came, `states` what it
    kept, `events` what was emitted, `routes`, `checks`, `figures_of` and `stores` what was registered.
    """

    instance = "test-instance"

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        self.data_dir = self.shared_dir = data_dir
        self.settings = Settings(data_dir=data_dir, **settings)
        self.ingested: list[Record] = []
        self.aggregates: list[Aggregate] = []
        self.chains: dict[str, Position] = {}
        self.positions: dict[str, bytes] = {}
        self.keys: dict[str | AutomaticKey, int] = {}
        self.states: dict[str, MemoryState] = {}
        self.receivers = Receivers(self.settings, Place())
        self.events: list[Alias | Anomaly] = []
        self.routes: dict[tuple[str, str], Handler] = {}
        self.checks: dict[str, Check] = {}
        self.figures_of: dict[str, Stats] = {}
        self.stores: list[Store] = []

    @property
    def store(self) -> Store | None:
        """The first store that was registered."""
        return self.stores[0] if self.stores else None

    async def ingest(
        self,
        records: Sequence[Record],
        *,
        key: str | AutomaticKey | None = None,
        position: tuple[str, bytes] | None = None,
    ) -> Receipt:
        """Keep the records, unless their key came before, and the position."""
        if position is not None:
            self.positions[position[0]] = position[1]
        if key is not None and key in self.keys:
            return Receipt(self.keys[key], [], True, True)
        if key is not None:
            self.keys[key] = len(records)
        self.ingested += records
        return Receipt(len(records), [], False, True)

    async def ingest_aggregates(self, sent: SentAggregates, link: Link) -> Receipt:
        """Keep the aggregates, unless their delivery came before. Raises `FencedError`."""
        duplicate = link.is_stored(self.chains.get(link.name))
        if not duplicate:
            self.chains[link.name] = link.position
            self.aggregates += sent.aggregates
        return Receipt(sent.logs, [], duplicate, True)

    def position(self, name: str) -> bytes | None:
        """The position that was kept last."""
        return self.positions.get(name)

    def state(self, name: str) -> MemoryState:
        """Bytes that are kept as long as this host."""
        return self.states.setdefault(name, MemoryState())

    def run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run the task, supervised as by a service."""
        self.receivers.run("test", name, work)

    def listen_tcp(self, address: str, handler: ConnectionHandler, **options: Any) -> Listener:
        """Listen on a real socket."""
        return self.receivers.listen_tcp("test", address, handler, **options)

    def listen_udp(self, address: str, handler: DatagramHandler, *, allow: Sequence[str] = ()) -> Listener:
        """Listen on a real socket."""
        return self.receivers.listen_udp("test", address, handler, allow=allow)

    def emit(self, event: Alias | Anomaly) -> None:
        """Keep the event."""
        self.events.append(event)

    def add_route(
        self,
        method: str,
        path: str,
        handler: Handler,
        scope: RouteScope | None = None,
        *,
        by_source: bool = False,
        credentials: Credentials | None = None,
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
    """Enter the plugin's lifespan, if it has one, begin its tasks and listeners, and end all with the block."""
    host = Host(directory)
    lifespan = getattr(plugin, "lifespan", None)
    async with lifespan(service=host) if lifespan is not None else contextlib.nullcontext():
        host.receivers.start()
        try:
            yield host
        finally:
            await host.receivers.stop()

"""The service as one plugin sees it: the `Service` that `lifespan` is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.hookspecs import RouteScope
from log_aggregator.journal import Journal, PluginState, ReaderPosition, automatic_key, client_key
from log_aggregator.listeners import Connection, Datagram, Listener, Tls
from log_aggregator.model.aggregate import Alias, Anomaly
from log_aggregator.model.receipt import AutomaticKey, Receipt
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import Link, SentAggregates
from log_aggregator.plugins.intake import Intake
from log_aggregator.plugins.isolation.lifespan import is_entering
from log_aggregator.plugins.reserved import check_route, is_reserved_check
from log_aggregator.plugins.route_marks import Credentials, Handler, marked
from log_aggregator.plugins.supervised import SupervisedTask
from log_aggregator.store import Store

Check = Callable[[], Awaitable[str | None]]
Stats = Callable[[], dict[str, Any]]

VOUCHED = b"vouched"
"""In place of what identifies a body: a plugin that gives a key says that the same key means the same records."""

LONGEST_NAME = 1000
LARGEST_POSITION = 65_536


class Registrations:
    """What the plugins have registered, in the file's order. No route is added once it is `complete`."""

    def __init__(self) -> None:
        self.routes: list[tuple[str, str, Handler]] = []
        self.checks: dict[str, Check] = {}
        self.stats: dict[str, Stats] = {}
        self.intakes: dict[str, Intake] = {}
        self.stores: list[Store] = []
        self.complete = False

    @property
    def store(self) -> Store | None:
        """The store that is read: the first in the file's order."""
        return self.stores[0] if self.stores else None


class Receivers(Protocol):
    """Runs what plugins run and listen on."""

    def run(self, plugin: str, name: str, work: Callable[[], Awaitable[None]]) -> SupervisedTask:
        """Supervise a plugin's task."""

    def listen_tcp(
        self,
        plugin: str,
        address: str,
        handler: Callable[[Connection], Awaitable[None]],
        *,
        tls: Tls | None = None,
        allow: Iterable[str] = (),
        **limits: int | None,
    ) -> Listener:
        """Listen on a TCP port."""

    def listen_udp(
        self,
        plugin: str,
        address: str,
        handler: Callable[[list[Datagram]], Awaitable[None]],
        *,
        allow: Iterable[str] = (),
    ) -> Listener:
        """Listen on a UDP port."""


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

    @property
    def journal(self) -> Journal:
        """What is acknowledged and not yet stored, and what plugins keep."""

    @property
    def receivers(self) -> Receivers:
        """The tasks and listeners of all plugins."""

    async def ingest(
        self,
        records: list[Record],
        *,
        key: str | None = None,
        digest: bytes = b"",
        position: ReaderPosition | None = None,
    ) -> Receipt:
        """Submit the records that a plugin takes in."""

    async def ingest_aggregates(self, plugin: str, sent: SentAggregates, link: Link) -> Receipt:
        """Submit aggregates that a plugin takes in."""

    def emit(self, event: Alias | Anomaly) -> None:
        """Add an event to the next flush."""

    async def stats(self) -> dict[str, Any]:
        """The object of `GET /stats`."""


class PluginContext:
    """Implements `hookspecs.Service` for the plugin `name`."""

    def __init__(self, host: Host, name: str, registrations: Registrations, *, runs_once: bool = False) -> None:
        """`runs_once`: there is one such plugin in the whole cluster."""
        self._host = host
        self._runs_once = runs_once
        self._name = name
        self._registrations = registrations
        self._intake = registrations.intakes.setdefault(name, Intake())

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

    async def ingest(
        self,
        records: Sequence[Record],
        *,
        key: str | AutomaticKey | None = None,
        position: tuple[str, bytes] | None = None,
    ) -> Receipt:
        """Submit records as HTTP does."""
        _check_started()
        reached = None if position is None else ReaderPosition(self._name, *_checked(position))
        # The plugin vouches for its keys. Records cannot be compared: some get the time of receipt.
        own, digest = (None, b"") if key is None else (scoped(self._name, key), VOUCHED)
        submitted = self._host.ingest(list(records), key=own, digest=digest, position=reached)
        return await self._intake.counted(submitted, len(records))

    async def ingest_aggregates(self, sent: SentAggregates, link: Link) -> Receipt:
        """Submit aggregates of another service."""
        _check_started()
        link = link._replace(name=_checked((link.name, b""))[0])
        return await self._intake.counted(self._host.ingest_aggregates(self._name, sent, link), sent.logs)

    def position(self, name: str) -> bytes | None:
        """The last durable position of a reader."""
        return self._host.journal.positions.get(self._name, name)

    def state(self, name: str) -> PluginState:
        """Bytes that the plugin keeps."""
        return PluginState(self._host.journal, self._name, name, follows=self._runs_once)

    def run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Supervise a background task."""
        task = self._host.receivers.run(self._name, name, work)
        self.add_health_check(task.name, task.complaint)

    def listen_tcp(
        self,
        address: str,
        handler: Callable[[Connection], Awaitable[None]],
        *,
        tls: Tls | None = None,
        allow: Sequence[str] = (),
        max_frame: int | None = None,
        max_connections: int | None = None,
        max_per_client: int | None = None,
    ) -> Listener:
        """Listen on a TCP port."""
        limits = {"max_frame": max_frame, "max_connections": max_connections, "max_per_client": max_per_client}
        listener = self._host.receivers.listen_tcp(self._name, address, handler, tls=tls, allow=allow, **limits)
        self._intake.listens.append(listener.name.partition(" ")[2])
        self.add_health_check(listener.name, listener.complaint)
        return listener

    def listen_udp(
        self, address: str, handler: Callable[[list[Datagram]], Awaitable[None]], *, allow: Sequence[str] = ()
    ) -> Listener:
        """Listen on a UDP port."""
        listener = self._host.receivers.listen_udp(self._name, address, handler, allow=allow)
        self._intake.listens.append(listener.name.partition(" ")[2])
        self.add_health_check(listener.name, listener.complaint)
        return listener

    def emit(self, event: Alias | Anomaly) -> None:
        """Add an event to the next flush."""
        self._host.emit(event)

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
        """Serve an HTTP route, for API keys of a scope."""
        if self._registrations.complete:
            raise ConfigError(f"plugin {self._name}: route {path}: routes are added in lifespan, before the start")
        check_route(f"plugin {self._name}", method, path)
        if any((method, path) == known[:2] for known in self._registrations.routes):
            raise ConfigError(f"plugin {self._name}: route {method} {path} is taken by another plugin")
        if scope is not None or by_source or credentials is not None:
            scope = scope or ("read" if method in ("GET", "HEAD") else "admin")
            handler = marked(f"plugin {self._name}: route {path}", handler, scope, by_source, credentials)
        if scope == "ingest" and method in ("POST", "PUT"):
            self._intake.listens.append(f"{method} {path}")
        self._registrations.routes.append((method, path, handler))

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


def _check_started() -> None:
    if is_entering():
        raise ConfigError(
            "lifespan awaits service.ingest, which waits for the start; expected it in a function that is given to "
            "service.run"
        )


def scoped(plugin: str, key: str | AutomaticKey) -> str:
    """The scope of a key that a plugin gives."""
    owner = f"plugin {plugin}"
    if isinstance(key, AutomaticKey):
        return automatic_key(owner, f"{key.sender}\0{key.path}", key.body)
    return client_key(owner, "", key)


def _checked(position: tuple[str, bytes]) -> tuple[str, bytes]:
    name, value = position
    if not 0 < len(name) <= LONGEST_NAME or len(value) > LARGEST_POSITION:
        raise ValueError(
            f"position: expected a name of 1 to {LONGEST_NAME} characters and at most {LARGEST_POSITION} bytes"
        )
    return name, bytes(value)

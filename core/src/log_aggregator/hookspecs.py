"""The contract: the five hooks, and the service handle that `lifespan` gives to a plugin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pluggy

from log_aggregator.model.aggregate import Alias, Anomaly, Flush
from log_aggregator.model.batch import Batch
from log_aggregator.model.record import Record

if TYPE_CHECKING:  # commands that start no server do without its import
    from aiohttp import web

    from log_aggregator.config.settings import Settings
    from log_aggregator.listeners import Connection, Datagram, Listener, Tls
    from log_aggregator.model.receipt import AutomaticKey, Receipt
    from log_aggregator.model.sent_aggregates import Link, SentAggregates
    from log_aggregator.store import Store

PROJECT = "log_aggregator"
API_VERSION = 1
"""Raised when a hook changes so that plugins must change with it."""

SERVED_VERSIONS = (API_VERSION,)
"""The plugin APIs that this core serves: the version before stays for one release, and its plugins are warned of."""

RouteScope = Literal["open", "ingest", "read", "write", "admin"]
"""What an API key must open to use a plugin's route; `open` asks for no key."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class State(Protocol):
    """Bytes that a plugin keeps in the service's journal, for a few megabytes at most."""

    async def load(self) -> bytes | None:
        """What was saved last; `None` before the first time. Raises `RetryableError`."""

    async def save(self, value: bytes) -> None:
        """Keep bytes in place of those before; durable once this returns. Raises `RetryableError`."""


class Service(Protocol):
    """What a plugin may do with the running service. Valid inside `lifespan` only."""

    @property
    def data_dir(self) -> Path:
        """Where a plugin keeps files: use `data_dir / "<plugin name>…"`. It is this process's alone."""

    @property
    def shared_dir(self) -> Path:
        """The data directory of all workers; the same as `data_dir` while there is one. For files that
        several processes may write, such as a database."""

    @property
    def instance(self) -> str:
        """The identity of this data directory; part of every flush."""

    @property
    def settings(self) -> Settings:
        """The core's settings, as read from the environment."""

    @property
    def store(self) -> Store | None:
        """The first store in the file's order, once all `lifespan`s are entered."""

    async def ingest(
        self,
        records: Sequence[Record],
        *,
        key: str | AutomaticKey | None = None,
        position: tuple[str, bytes] | None = None,
    ) -> Receipt:
        """Take records in as HTTP does; returns once they are durable. The receipt names rejected records.

        `position`, a name and the plugin's own bytes, is written in the transaction that writes the records: a
        reader that goes on at `service.position(name)` loses nothing and sends nothing twice. It is written for an
        empty list, too. With a `key`, records that come again under it are a duplicate and are not counted; it is
        the client's, or `AutomaticKey` of what a client sent. Keys belong to the plugin.

        Waits until the service has started: call it from `service.run`, a listener or a route, not in `lifespan`
        itself. Raises `OverloadedError` when nothing was accepted, `Reject` when `on_ingest` refused the batch; the
        position is not moved then. With a position, a cancellation waits until the outcome is known.
        """

    async def ingest_aggregates(self, sent: SentAggregates, link: Link) -> Receipt:
        """Merge aggregates that another service made; returns once they are durable.

        The receipt counts logs, and names rejected aggregates by index. `link` is the place of the delivery in the
        chain of its sender: it is written in the transaction that writes the aggregates, so a delivery that comes again
        is a duplicate, however late. The aggregates are checked as logs are; `on_ingest` is given their patterns,
        samples, names and values as records, and an aggregate whose pattern is dropped or rejected is left out. In a
        route with the scope `"ingest"`, aggregates of sources that the key may not send are rejected.

        Raises `OverloadedError` when nothing was accepted, `Reject` when the delivery cannot be taken at all, such as
        for its buckets, and `FencedError` when it does not continue its chain.
        """

    def position(self, name: str) -> bytes | None:
        """The last durable position of that name; `None` before the first. With several workers each has its own."""

    def state(self, name: str) -> State:
        """Bytes that this plugin keeps under a name. They follow a plugin with `instances = "cluster"`."""

    def run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a background task: called when logs may be accepted, cancelled before the drain.

        A task that raises is called again after a pause, 1 s at first and up to 60 s, or what a `RetryableError` or
        `OverloadedError` asks for; `/health` says so. One that returns is done.
        """

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
        """Listen on a TCP port, such as `0.0.0.0:5514`; `handler` is called for each connection, and they overlap.

        Connections wait until logs may be accepted. A frame that was begun must be whole within `BODY_TIMEOUT`.
        Limits: `max_frame` bytes (1 MiB), `max_connections` (`MAX_CONNECTIONS`) and half of them for one client;
        `allow`: networks that may connect. When the service stops, frames that are here can still be read, then
        reading ends. Workers share the port. Raises `ConfigError`.
        """

    def listen_udp(
        self, address: str, handler: Callable[[list[Datagram]], Awaitable[None]], *, allow: Sequence[str] = ()
    ) -> Listener:
        """Listen on a UDP port; `handler` is called with all datagrams that wait, one call after the other.

        When it raises `OverloadedError` it is called again with the same ones, while the system keeps those that
        come. Workers share the port; all datagrams of one sender's port come to the same. Raises `ConfigError`.
        """

    def emit(self, event: Alias | Anomaly) -> None:
        """Let an alias or anomaly ride on the next flush, to every sink. It is durable with that flush.

        What is emitted before `lifespan` is left goes out with the last flush of the drain.
        """

    def add_route(
        self,
        method: str,
        path: str,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        scope: RouteScope | None = None,
        *,
        by_source: bool = False,
        credentials: Callable[[web.Request], str | None] | None = None,
    ) -> None:
        """Serve an HTTP route. `scope` says which API keys may use it: `"ingest"`, `"read"`, `"write"` or `"admin"`;
        `"open"` asks for none. Without it, `"read"` for GET, and `"admin"` for every other method. A route for GET
        answers HEAD too.

        The route is limited as those of the service are. With the scope `"ingest"`, a client or key over its rate gets
        429 before the handler runs, and `service.ingest`, called in the handler, takes only logs of the key's sources
        and within its quota; when none may pass, the caller gets 403 or 429. With other scopes, a key that is bound
        to some sources gets 403, unless `by_source` says that the handler answers from
        `log_aggregator.http.access.auth.allowed_sources(request)` only.

        `credentials` finds the API key in a request where this protocol's clients send it; where it finds none, the
        usual headers are looked at.

        Raises `ConfigError` when the path is taken, the scope is none of these, or the service runs already.
        """

    def add_health_check(self, name: str, check: Callable[[], Awaitable[str | None]]) -> None:
        """Ask `check` at every `GET /health`: `None` is healthy, a text says what is degraded. Deadline 2 s."""

    def add_stats(self, name: str, figures: Callable[[], dict[str, Any]]) -> None:
        """Show what `figures` returns at `GET /stats` under `plugins.<name>`. Called often: be quick."""

    async def stats(self) -> dict[str, Any]:
        """The service's figures at this moment: the object of `GET /stats`, a new one at every call.

        Totals count from the start of this process. Asks every plugin for its own figures, so do not
        call it from a function that was given to `add_stats`.
        """

    def register_store(self, store: Store) -> None:
        """Offer this sink for reading. With several, the first in the file's order is read."""


class Hooks(Protocol):
    """What `assemble` gets: the way in which one plugin asks others for their part."""

    def call(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Call a hook that the caller's class declared; (plugin name, result) in the file's order."""


class Hookspecs(Protocol):
    """The hooks of the core. A plugin implements any of them as methods marked `@hookimpl`.

    Each worker has its own instance. With `instances = "node"` in the class, worker 0 holds the only one and
    receives the flushes of all workers; with `instances = "cluster"` there is one in the whole cluster. Its calls are
    served by all workers when the class names them: `routes = (("POST", "/notify-test", "admin"),)`, with their scopes.
    """

    @hookspec
    def on_ingest(self, batch: Batch) -> None:
        """Redact, drop or reject records before they are persisted or acknowledged.

        Called once per slice, in plugins.toml order; never concurrently. Must not block.
        May assign record fields; `batch.drop(record, reason)`, `batch.reject(record, reason)`.
        Raise `Reject` to refuse the request that the records came with. Any other exception: see `on_error`.
        Called for aggregates of other services too, with their patterns, samples and values as records, unless the
        class says `on_aggregates = False`.
        """

    @hookspec
    def normalize(self, batch: Batch) -> None:
        """Assign `pattern`. Called once per slice, possibly before the commit and again after a crash: keep no counts
        here. Records whose pattern is final are not offered. Any exception: see `on_error`."""

    @hookspec
    def enrich(self, batch: Batch) -> None:
        """Assign `category`, `tags`, `metadata`, or `level` where the client sent none. Called after every `normalize`.
        Any exception: see `on_error`."""

    @hookspec
    async def on_flush(self, flush: Flush) -> None:
        """Store the flush; return once it is durable. Called in order, one at a time per sink; again after an error,
        cancellation or crash. `flush` is read-only. Raise `RetryableError` or `PermanentError`."""

    @hookspec
    def lifespan(self, service: Service) -> AbstractAsyncContextManager[None]:
        """Acquire resources before the service starts, release them after it has drained. Receivers register here.

        An async context manager: `@hookimpl` above `@asynccontextmanager`. Raising before the yield stops the start.
        """


HOOKS: Sequence[str] = ("on_ingest", "normalize", "enrich", "on_flush", "lifespan")

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
    from log_aggregator.store import Store

PROJECT = "log_aggregator"
API_VERSION = 1
"""Raised when a hook changes so that plugins must change with it."""

RouteScope = Literal["open", "ingest", "read", "admin"]
"""What an API key must open to use a plugin's route; `open` asks for no key."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


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

    async def ingest(self, records: list[Record]) -> int:
        """Take records in on the road that HTTP takes; returns how many were accepted once durable.

        Waits until the service has started: call it from a task of the plugin's, not in `lifespan` itself.

        Raises `OverloadedError` when nothing was accepted, `Reject` when `on_ingest` refused the batch.
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
    ) -> None:
        """Serve an HTTP route. `scope` says which API keys may use it: `"ingest"`, `"read"` or `"admin"`; `"open"`
        asks for none. Without it, `"read"` for GET, and `"admin"` for every other method.

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

    With several workers each has a plugin of its own. A class with `alone = True` lives in the first worker
    only and is given the flushes of all.
    """

    @hookspec
    def on_ingest(self, records: list[Record], batch: Batch) -> list[Record] | None:
        """Guard the door: redact, drop or refuse records before anything touches the disk.

        Takes: either `records`, one by one, or the `batch`, which costs a fraction where it is enough to look once at
        those that are alike: see `normalize`. To change a message, take `batch.records()`.

        Called: before the journal and the acknowledgement, once per batch; small batches that arrive
        together are one. When a batch that was put together is refused as a whole, the hook is called
        again with each part. `def`.
        May change: the records in place. A returned list replaces the batch (drop or add records).
        `None`: the batch goes on as it is.
        Raising: `Reject(reason)` refuses the batch, `Reject(reason, record)` that record, and the
        hook is called again with the rest. Anything else: the batch goes on as the hook left it, the
        records carry the error, and the plugin's error counter goes up.
        Overlap: never; calls come one after another on the event loop, so they must be quick.
        """

    @hookspec
    def normalize(self, records: list[Record], batch: Batch) -> None:
        """Give each record its pattern: set `record.pattern`.

        Takes: either `records`, one by one, or the `batch`: `batch.alike()` has those that agree in shape, level and
        source taken together, which costs a fraction. What is set of an `Alike` counts for all its records.

        Called: once per batch, mostly while the batch is being written to the journal, so nearly in journal
        order. What the journal then refuses is not counted although the hook saw it, and after a crash the
        hook sees again what no flush covers yet. `def`.
        May change: `pattern` (a later stage refines what an earlier one set, unless the record is
        `settled`); not the message. Who has to say different things of records that are alike, for their digits
        say, puts parts of them into the batch with `batch.replace(parts)`.
        `None`: the only answer. Records that no stage gave a pattern use their message as it is.
        Raising: the batch goes on as the hook left it, the records carry the error.
        Overlap: never.
        """

    @hookspec
    def enrich(self, records: list[Record], batch: Batch) -> None:
        """Say more about each record: set `category`, `tags`, `metadata`, or `level` if none was sent.

        Takes: either `records` or the `batch`, as `normalize` does. Metadata is each record's own in both.

        Called: once per batch, after every `normalize`. `def`.
        May change: those fields. Replace `metadata`, do not change it in place: records may share it.
        `None`: the only answer.
        Raising: the batch goes on as the hook left it, the records carry the error.
        Overlap: never.
        """

    @hookspec
    async def on_flush(self, flush: Flush) -> None:
        """Store or forward the aggregates; return when they are safe.

        Called: for each flush, in order, in this sink's own lane; for the same flush again after an
        error, a crash or a cancellation. `async def`.
        May change: nothing; who changes the flush all the same is named in `/health` and rests for a while.
        `None`: the only answer; it means stored.
        Raising: `RetryableError` (and anything unknown) is tried again with growing pauses;
        `PermanentError` needs a person, see `errors`. A sink that stores exactly once decides with
        `flush.is_stored(progress)` and moves its progress in the transaction that stores the rows.
        Overlap: never for one sink; lanes of different sinks run side by side. A call that exceeds
        the lane's deadline is cancelled and tried again.
        """

    @hookspec
    def lifespan(self, service: Service) -> AbstractAsyncContextManager[None]:
        """Live around the service: open pools before it starts, close them after it has drained.

        Called: once per start, in the file's order; left in the reverse order. An async context
        manager: mark a method with `@hookimpl` above `@asynccontextmanager`.
        May change: register routes, health checks, figures and a store on `service`.
        `None`: not allowed; yield once.
        Raising before the yield stops the start; so a store that may be down must not raise but connect later.
        Raising after it is logged.
        Overlap: never.
        """


HOOKS: Sequence[str] = ("on_ingest", "normalize", "enrich", "on_flush", "lifespan")

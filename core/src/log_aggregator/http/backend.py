"""What the handlers need of the service behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, NamedTuple, Protocol

from aiohttp import web

from log_aggregator.config.settings import Settings
from log_aggregator.model.receipt import Receipt
from log_aggregator.model.record import Record
from log_aggregator.store import Store

__all__ = ["Backend", "Handler", "HealthReport", "Receipt", "Status"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""A plugin's route handler."""


Status = Literal["healthy", "degraded", "unhealthy"]


class HealthReport(NamedTuple):
    """`accepting` is false only when no log can be taken. `checks` says what was looked at."""

    status: Status
    accepting: bool
    checks: dict[str, Any]


class Backend(Protocol):
    """The service as the handlers see it. Calls overlap."""

    @property
    def settings(self) -> Settings:
        """The environment, checked."""

    @property
    def store(self) -> Store | None:
        """The store that is read, or `None` when no plugin offers one."""

    @property
    def routes(self) -> list[tuple[str, str, Handler]]:
        """Routes of plugins: (method, path, handler). Complete before `build_app` is called."""

    async def submit(self, records: list[Record], *, key: str | None, digest: bytes, size: int) -> Receipt:
        """Accept records; returns when they are as durable as the settings say.

        `key` is the Idempotency-Key and `digest` identifies the body; without a key it is empty. `size` is the
        length of the body in bytes.
        Raises `OverloadedError` (nothing accepted, try later), `Reject` (an `on_ingest` stage refused
        the whole batch) and `KeyReusedError` (the key came with another body).
        """

    async def flush(self, deadline: float) -> dict[str, Any]:
        """Seal what is gathered and wait at most `deadline` seconds for the sinks.

        Returns how many groups were flushed and each sink's outcome, ready for JSON.
        """

    async def reload(self) -> dict[str, Any]:
        """Read `plugins.toml`, keys and certificates again, soon; the counts of reloads until now, ready for JSON."""

    async def explain(self, line: str) -> dict[str, Any]:
        """What the stages make of a log line, ready for JSON; nothing is stored.

        `message`, `pattern`, `pattern_id`, `level`, `source`, `category` and `tags`; where a stage refuses the line,
        `rejected` says why and `pattern_id` is empty.
        """

    async def stats(self) -> dict[str, Any]:
        """All stats, ready for JSON."""

    async def health(self) -> HealthReport:
        """How the service is, with each check. Returns within a few seconds at most."""

"""A backend that keeps records in a list: enough of a service to test the handlers against."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession

from log_aggregator.config.settings import Settings
from log_aggregator.errors import KeyReusedError, OverloadedError, Reject
from log_aggregator.http.access.ledger import Ledger
from log_aggregator.http.app import build_app
from log_aggregator.http.backend import Handler, HealthReport, Receipt
from log_aggregator.http.listener import Listener
from log_aggregator.model.record import Record, pattern_id
from log_aggregator.store import Store


class MemoryBackend:
    """Takes everything, except: source `refused` (each record), source `banned` (the batch)."""

    def __init__(self, settings: Settings, store: Store | None = None) -> None:
        self.settings = settings
        self.store = store
        self.routes: list[tuple[str, str, Handler]] = []
        self.records: list[Record] = []
        self.overloaded = False
        self.report = HealthReport("healthy", True, {"store": "ok"})
        self._keys: dict[str, tuple[bytes, Receipt]] = {}

    async def submit(self, records: list[Record], *, key: str | None, digest: bytes, size: int) -> Receipt:
        if self.overloaded:
            raise OverloadedError("the journal is full", retry_after=2.5)
        if any(record.source == "banned" for record in records):
            raise Reject("banned by a stage")
        if key is not None and key in self._keys:
            known, receipt = self._keys[key]
            if known != digest:
                raise KeyReusedError(key)
            return receipt._replace(duplicate=True)
        rejected = [(index, "refused by a stage") for index, record in enumerate(records) if record.source == "refused"]
        good = [record for record in records if record.source != "refused"]
        self.records.extend(good)
        receipt = Receipt(len(good), rejected, False, self.settings.durability == "journal")
        if key is not None:
            self._keys[key] = digest, receipt
        return receipt

    async def flush(self, deadline: float) -> dict[str, Any]:
        return {"groups": 0, "sinks": {}, "deadline": deadline}

    async def reload(self) -> dict[str, Any]:
        return {"reloads": {"succeeded": 0, "failed": 0, "last_error": None}}

    async def explain(self, line: str) -> dict[str, Any]:
        return {"message": line, "pattern": line, "pattern_id": pattern_id(line), "rejected": ""}

    async def stats(self) -> dict[str, Any]:
        return {"logs": len(self.records), "sinks": {"memory": {"lag_flushes": 3}}}

    async def health(self) -> HealthReport:
        return self.report


class Ingester:
    """A served backend, and a client for it."""

    def __init__(self, backend: MemoryBackend, client: ClientSession, port: int) -> None:
        self.backend = backend
        self.client = client
        self.port = port

    @property
    def records(self) -> list[Record]:
        return self.backend.records


@asynccontextmanager
async def serve(store: Store | None = None, **settings: Any) -> AsyncIterator[Ingester]:
    """Serve a `MemoryBackend` on a free port, with these settings."""
    backend = MemoryBackend(Settings(port=0, **settings), store)
    async with serve_backend(backend) as door:
        yield door


@asynccontextmanager
async def serve_backend(backend: MemoryBackend, ledger: Ledger | None = None) -> AsyncIterator[Ingester]:
    """Serve a prepared `MemoryBackend` on a free port."""
    listener = Listener(build_app(backend, ledger), backend.settings)
    await listener.start()
    try:
        async with ClientSession(f"http://127.0.0.1:{listener.port}") as client:
            yield Ingester(backend, client, listener.port)
    finally:
        await listener.stop()

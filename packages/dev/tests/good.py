"""Plugins without a fault: what the broken ones are made from."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from log_aggregator import Batch, RetryableError, Service, hookimpl
from log_aggregator.sinks import Flush, Position

SECRET = "correcthorsebattery"
"""What `GoodStage` masks."""


class GoodSink:
    """Keeps counts and each instance's progress in one JSON file that is replaced as a whole."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "counts.json"
        self.down = directory / "down"

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        task = asyncio.create_task(asyncio.Event().wait())
        try:
            yield
        finally:
            task.cancel()

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        state = await self.load()
        known = state["progress"].get(flush.instance)
        if flush.is_stored(Position(*known) if known else None):
            return
        self.add(state["counts"], flush)
        state["progress"][flush.instance] = list(flush.position)
        await self.save(state)

    def add(self, counts: dict[str, int], flush: Flush) -> None:
        for aggregate in flush.aggregates:
            counts[aggregate.pattern] = counts.get(aggregate.pattern, 0) + aggregate.count

    async def load(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        if self.down.exists():
            raise RetryableError("the store is out of reach")
        if not self.file.exists():
            return {"counts": {}, "progress": {}}
        state: dict[str, Any] = json.loads(self.file.read_text())
        return state

    async def save(self, state: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        partial = self.file.with_suffix(".partial")
        partial.write_text(json.dumps(state))
        partial.replace(self.file)
        await asyncio.sleep(0)


class GoodStage:
    """Masks a secret and digits, and classifies messages about users."""

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for record in batch:
            if record.message == "drop me":
                batch.drop(record, "not wanted")
            record.message = record.message.replace(SECRET, "[gone]")
            if any(SECRET in str(value) for value in record.metadata.values()):
                record.metadata = {key: str(value).replace(SECRET, "[gone]") for key, value in record.metadata.items()}

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        for record in batch:
            record.pattern = "".join("#" if character.isdigit() else character for character in record.message)

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for record in batch:
            record.category = "user" if "User" in record.message else ""
            record.metadata = {**record.metadata, "seen": True}


class GoodPack:
    """Two rules for an order system."""

    @hookimpl
    def pattern_rules(self) -> list[dict[str, Any]]:
        return [{"name": "order", "regex": r"\bORD-\d{8}\b"}, {"name": "till", "regex": r"\btill-[a-z]{3}\b"}]

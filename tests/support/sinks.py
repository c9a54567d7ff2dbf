"""One sink without a service around it: who hosts it, a chain of flushes to feed it, and a lane that insists."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from log_aggregator.config.settings import Settings
from log_aggregator.errors import RetryableError
from log_aggregator.model.aggregate import START
from log_aggregator.model.samples import Detail, Samples
from log_aggregator.model.summary import summarize
from log_aggregator.sinks import Aggregate, Alias, Anomaly, Flush, Position
from log_aggregator.store import PatternQuery, PatternRow, Store

SECOND = 1_000_000
NOON = 1_800_000_000
"""A moment in epoch seconds at which a bucket and an hour begin."""


class Host:
    """The part of `Service` that a sink uses."""

    def __init__(self, data_dir: Path, instance: str = "instance") -> None:
        self.data_dir = self.shared_dir = data_dir
        self.instance = instance
        self.settings = Settings()
        self.figures: dict[str, Any] = {}
        self.stores: list[Store] = []
        self.checks: dict[str, Any] = {}

    @property
    def store(self) -> Store:
        """The store that the sink has registered."""
        return self.stores[0]

    def register_store(self, store: Store) -> None:
        """Take a store."""
        self.stores.append(store)

    def add_stats(self, name: str, figures: Any) -> None:
        """Take the plugin's own figures."""
        self.figures[name] = figures

    def add_health_check(self, name: str, check: Any) -> None:
        """Take a health check."""
        self.checks[name] = check


@asynccontextmanager
async def hosted(sink: Any, data_dir: Path, instance: str = "instance") -> AsyncIterator[Host]:
    """Run a sink as the service would."""
    host = Host(data_dir, instance)
    async with sink.lifespan(host):
        yield host


class Chain:
    """The flushes of one data directory. `sent` counts the logs that they carry."""

    def __init__(self, instance: str = "instance", epoch: int = 7) -> None:
        self.instance = instance
        self.epoch = epoch
        self.previous: Position | None = START
        self.sequence = 0
        self.sent = 0

    def flush(
        self, aggregates: Iterable[Aggregate] = (), aliases: Iterable[Alias] = (), anomalies: Iterable[Anomaly] = ()
    ) -> Flush:
        """The next flush in the chain."""
        self.sequence += 1
        position = Position(self.epoch, self.sequence)
        rows = tuple(aggregates)
        logs, now = sum(row.count for row in rows), time.time_ns() // 1000
        flush = Flush(
            self.instance,
            position,
            self.previous,
            now,
            now,
            logs,
            rows,
            tuple(aliases),
            tuple(anomalies),
        )
        self.previous = position
        self.sent += logs
        return flush


def aggregate(pattern: str = "User {ID} logged in", count: int = 1, at: int = 0, **more: Any) -> Aggregate:
    """An aggregate of `count` logs that all came `at` seconds after `NOON`."""
    moment = (NOON + at) * SECOND
    given = {
        "level": "INFO",
        "source": "web",
        "metadata": summarize([{"user": f"u{at}", "took": f"{at + 1}ms"}] * min(count, 1000)),
        "samples": Samples((f"{pattern} at {at}",), 0, (Detail(moment, f'{{"user":"u{at}"}}'),)),
        "categories": {"login": count},
        "tags": {"auth": count},
        "minutes": (0,) * (at % 300 // 60) + (count,),
        "variables": summarize([{"ID": str(at)}] * min(count, 1000)),
    }
    bucket = (NOON + at) // 300 * 300
    return Aggregate(bucket=bucket, pattern=pattern, count=count, first_seen=moment, last_seen=moment, **(given | more))


async def deliver(sink: Any, flush: Flush, deadline: float = 60.0, attempt: float = 20.0) -> int:
    """What a lane does: try until it is stored, each attempt with its own deadline; how often it tried.

    Raises whatever is not worth another attempt, and `TimeoutError` when the deadline passes.
    """
    attempts = 0
    async with asyncio.timeout(deadline):
        while True:
            attempts += 1
            try:
                async with asyncio.timeout(attempt):
                    await sink.on_flush(flush)
            except (RetryableError, TimeoutError):
                await asyncio.sleep(0.02)
                continue
            return attempts


async def all_patterns(store: Store, **query: Any) -> list[PatternRow]:
    """All pages of the patterns that match."""
    found: list[PatternRow] = []
    cursor = None
    while True:
        page = await store.patterns(PatternQuery(limit=100, cursor=cursor, **query))
        found += page.patterns
        cursor = page.cursor
        if cursor is None:
            return found


async def total(store: Store, **query: Any) -> int:
    """How many logs are stored."""
    return sum(row.count for row in await all_patterns(store, **query))

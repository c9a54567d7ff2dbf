"""Flushes, trained series and a fake service for the tests of trends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from log_aggregator.model.samples import Samples
from log_aggregator.model.summary import summarize
from log_aggregator.sinks import Aggregate, Anomaly, Flush, Position
from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.monitor import Monitor
from log_aggregator_trends.notifier import Notifier
from log_aggregator_trends.series import Series, SeriesKey
from log_aggregator_trends.state_thread import StateThread

MINUTE = 60_000_000
START = 29_000_160  # a minute since the epoch, at the start of a day


def aggregate(
    pattern: str, count: int, minute: int, *, source: str = "shop", level: str = "INFO", metadata: Any = ()
) -> Aggregate:
    at = minute * MINUTE
    return Aggregate(
        bucket=minute * 60,
        pattern=pattern,
        level=level,
        source=source,
        count=count,
        first_seen=at,
        last_seen=at + 1,
        metadata=summarize(metadata),
        samples=Samples((f"{pattern} as it was written",), 0),
    )


class Feed:
    """Builds consecutive flushes of whole minutes, as one instance of the service does."""

    def __init__(self, instance: str = "test") -> None:
        self.instance = instance
        self.sequence = 0

    def flush(self, minute: int, *aggregates: Aggregate, anomalies: tuple[Anomaly, ...] = ()) -> Flush:
        self.sequence += 1
        position = Position(1, self.sequence)
        logs = sum(entry.count for entry in aggregates)
        opened, sealed = minute * MINUTE, minute * MINUTE + MINUTE - 1
        return Flush(self.instance, position, None, opened, sealed, logs, aggregates, anomalies=anomalies)


class FakeService:
    """The part of `Service` that trends uses; records emitted anomalies, stats and health checks."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.settings = SimpleNamespace(aggregation_window=30.0)
        self.emitted: list[Anomaly] = []
        self.stats: dict[str, Any] = {}
        self.checks: dict[str, Any] = {}

    def emit(self, event: Anomaly) -> None:
        self.emitted.append(event)

    def add_stats(self, name: str, stats: Any) -> None:
        self.stats[name] = stats

    def add_health_check(self, name: str, check: Any) -> None:
        self.checks[name] = check


def trained(key: SeriesKey, minute: int, rng: random.Random, *, days: int = 3, mean: float = 6.0) -> Series:
    """A series whose detector has seen `days` days of about `mean` logs per minute, ending before `minute`."""
    series = Series(key)
    for past in range(minute - days * 1440, minute):
        series.detector.update(past * 60.0, sum(rng.random() < mean / 20 for _ in range(20)))
    series.last = minute - 1
    series.source = series.source or "shop"
    return series


@asynccontextmanager
async def running_monitor(
    path: Path, service: FakeService, config: TrendsConfig, minute: int, *series: Series
) -> AsyncIterator[Monitor]:
    """A monitor with its state in `path`, the next minute `minute`, and a running notifier."""
    state = await StateThread.open(path)
    try:
        monitor = await Monitor.open(config, state, service.emit, minute - 1)
        for one in series:
            monitor.tracker.restore(one)
        notifier = Notifier(config, monitor.record_delivery)
        monitor.start(notifier)
        task = asyncio.create_task(notifier.run())
        try:
            yield monitor
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await monitor.close()
    finally:
        await state.close()


RULED = """
[plugins.patterns]
[plugins.sqlite]
[plugins.trends]
[[rules]]
name = "any refund"
search = "refund"
more_than = 0
"""
"""A service with one rule."""

QUIET = {"AGGREGATION_WINDOW": "3600", "BATCH_SIZE": "1000000"}
"""Settings with which only `POST /flush` stores."""

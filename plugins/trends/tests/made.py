"""What the tests of trends feed: flushes and a service that remembers what was emitted."""

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
from log_aggregator_trends.keeper import Keeper
from log_aggregator_trends.notifier import Notifier
from log_aggregator_trends.room import Room
from log_aggregator_trends.series import Series, SeriesKey

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
    """Makes flushes of whole minutes, one after another, as one instance of the service does."""

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
    """The part of `Service` that trends uses."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.settings = SimpleNamespace(aggregation_window=30.0)
        self.emitted: list[Anomaly] = []
        self.figures: dict[str, Any] = {}
        self.checks: dict[str, Any] = {}

    def emit(self, event: Anomaly) -> None:
        self.emitted.append(event)

    def add_stats(self, name: str, figures: Any) -> None:
        self.figures[name] = figures

    def add_health_check(self, name: str, check: Any) -> None:
        self.checks[name] = check


def trained(key: SeriesKey, minute: int, rng: random.Random, *, days: int = 3, mean: float = 6.0) -> Series:
    """A series whose detector has seen `days` of about `mean` logs a minute, up to before `minute`."""
    series = Series(key)
    for past in range(minute - days * 1440, minute):
        series.detector.update(past * 60.0, sum(rng.random() < mean / 20 for _ in range(20)))
    series.last = minute - 1
    series.source = series.source or "shop"
    return series


@asynccontextmanager
async def running_room(
    path: Path, service: FakeService, config: TrendsConfig, minute: int, *series: Series
) -> AsyncIterator[Room]:
    """A room over the file at `path` whose next minute is `minute`, with a notifier that runs."""
    keeper = await Keeper.open(path)
    try:
        room = await Room.open(config, keeper, service.emit, minute - 1)
        for one in series:
            room.watch.adopt(one)
        notifier = Notifier(config, room.told)
        room.start(notifier)
        task = asyncio.create_task(notifier.run())
        try:
            yield room
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await room.close()
    finally:
        await keeper.close()

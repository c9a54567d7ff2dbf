"""When accumulated groups are sealed: at once at a low rate, rarely when flushes are slow, never after the window."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from log_aggregator import Record
from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.aggregation.sealer import SHARE_OF_TIME, Sealer
from log_aggregator.config.settings import Settings
from log_aggregator.journal import Partition, sqlite_journal
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.processing.partial_aggregates import PreAggregator

WINDOW = 30.0


class Sealing:
    """A sealer over a real journal, whose seconds the test counts. Without sinks a sealed flush is a stored one."""

    def __init__(self, partition: Partition) -> None:
        settings = Settings(batch_size=10, aggregation_window=WINDOW)
        self.now = 1000.0
        self.sealer = Sealer(settings, partition, [], now=lambda: self.now)
        self.accumulators = Accumulators(settings.max_groups, settings.max_samples)

    def gather(self, logs: int) -> None:
        """Let so many logs of one group arrive now."""
        if not self.accumulators.logs:
            self.sealer.began()
        self.accumulators.add(
            PreAggregator(300).sort(WorkingBatch([Record("m", "INFO", "s", 1, {}, pattern="p") for _ in range(logs)]))
        )

    @property
    def is_due(self) -> bool:
        return self.sealer.is_due(self.accumulators)

    async def seal(self, *, takes: float) -> None:
        """Seal what has gathered, in so many seconds."""
        flush = self.sealer.next_flush([], [])
        list(self.accumulators.take())
        self.now += takes
        await self.sealer.seal(flush, 0)


@asynccontextmanager
async def sealing(directory: Path) -> AsyncIterator[Sealing]:
    async with sqlite_journal(directory, 10) as journal:
        yield Sealing(journal.partition)


async def test_the_first_logs_are_sealed_at_their_size_or_on_time(tmp_path: Path) -> None:
    async with sealing(tmp_path) as one:
        assert not one.is_due
        one.gather(9)
        assert not one.is_due
        one.now += WINDOW
        assert one.is_due
        one.now -= WINDOW
        one.gather(1)
        assert one.is_due


@pytest.mark.parametrize("takes", [0.001, 0.02, 0.5])
async def test_flushes_for_size_take_their_share_of_the_time_at_most(tmp_path: Path, takes: float) -> None:
    async with sealing(tmp_path) as one:
        one.gather(10)
        await one.seal(takes=takes)
        one.gather(10_000)
        pause = takes / SHARE_OF_TIME - takes
        one.now += 0.99 * pause
        assert not one.is_due
        one.now += 0.02 * pause
        assert one.is_due


async def test_a_slow_flush_puts_the_next_one_off_by_the_window_at_most(tmp_path: Path) -> None:
    async with sealing(tmp_path) as one:
        one.gather(10)
        await one.seal(takes=100.0)
        assert one.sealer.seconds_until_size() == pytest.approx(WINDOW)
        one.gather(10)
        one.now += 0.99 * WINDOW
        assert not one.is_due
        one.now += 0.02 * WINDOW
        assert one.is_due


async def test_what_takes_much_memory_does_not_wait(tmp_path: Path) -> None:
    async with sealing(tmp_path) as one:
        one.gather(10)
        await one.seal(takes=1.0)
        one.gather(10)
        assert not one.is_due
        one.accumulators.bytes = 10**12
        assert one.is_due

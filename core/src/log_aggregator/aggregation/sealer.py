"""Decides when accumulated groups become a flush, and makes the flush durable."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.config.settings import Settings
from log_aggregator.delivery.lane import Lane
from log_aggregator.journal import MERGE_AT, JournalError, Partition, writable
from log_aggregator.model.aggregate import Alias, Anomaly, Flush, Position
from log_aggregator.model.validation import UNENCODABLE

SHARE_OF_TIME = 0.02
"""Flushes for size alone take at most this share of the time; under load they grow instead."""

log = logging.getLogger(__name__)


class Sealer:
    """Decides when to seal (age, size, memory) and writes the flush to the outbox.

    Size alone seals only while every required sink has stored all earlier flushes: at a low rate a flush holds
    `batch_size` logs, under load and in an outage it holds all that arrived meanwhile.
    """

    def __init__(
        self,
        settings: Settings,
        partition: Partition,
        lanes: list[Lane],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._partition = partition
        self._lanes = lanes
        self._now = now
        self._sequence = 0
        self._opened_at = 0.0
        self._opened_us = 0
        self._sealed_at = 0.0
        self._not_before = 0.0
        self._failures = 0
        self.flushes = 0
        self.reduced = 0
        self.groups = 0
        self.logs = 0

    async def open(self) -> None:
        """Read the sequence of the newest flush."""
        self._sequence = (await self._partition.stand()).sequence

    @property
    def sequence(self) -> int:
        """The sequence of the newest flush."""
        return self._sequence

    def began(self) -> None:
        """Note that the first log of the next flush has arrived."""
        self._opened_at = self._now()
        self._opened_us = time.time_ns() // 1000

    def is_due(self, accumulators: Accumulators) -> bool:
        """Whether the accumulated groups are to be sealed now."""
        if not accumulators.logs:
            return False
        if self.seconds_left() <= 0 or self.is_large(accumulators):
            return True
        return (
            accumulators.logs >= self._settings.batch_size
            and self._sinks_are_current()
            and self._now() >= self._not_before
        )

    def is_large(self, accumulators: Accumulators, times: float = 1.0) -> bool:
        """Whether the accumulated groups take at least `times` the memory at which they are sealed."""
        settings = self._settings
        return (
            len(accumulators) >= times * settings.max_groups / 2
            or accumulators.bytes >= times * settings.max_buffer_bytes
        )

    def seconds_left(self) -> float:
        """Seconds until the age of the accumulated groups alone makes a flush due."""
        return self._opened_at + self._settings.aggregation_window - self._now()

    def seconds_until_size(self) -> float:
        """Seconds until size alone may seal again, if every sink is current."""
        return self._not_before - self._now()

    def sink_progressed(self) -> None:
        """Note that a sink has stored a flush. Once all are current, size alone may seal again after a pause.

        After an outage there is no pause: the time that a sink was unreachable is no cost of the flush.
        """
        if self._sinks_are_current():
            failures = sum(lane.errors for lane in self._lanes if lane.required)
            took = self._now() - self._sealed_at if failures == self._failures else 0.0
            self._failures = failures
            pause = min(took * (1 / SHARE_OF_TIME - 1), self._settings.aggregation_window)
            self._not_before = self._now() + pause

    def next_flush(self, aliases: list[Alias], anomalies: list[Anomaly]) -> Flush:
        """The flush after the newest one, without its aggregates; it is only in memory yet."""
        self._sealed_at = self._now()
        instance, epoch = self._partition.identity
        return Flush(
            instance=instance,
            position=Position(epoch, self._sequence + 1),
            previous=None,
            opened=self._opened_us,
            sealed=time.time_ns() // 1000,
            logs=0,
            aggregates=(),
            aliases=tuple(aliases),
            anomalies=tuple(anomalies),
        )

    async def seal(self, flush: Flush, watermark: int) -> bool:
        """Write the next flush to the outbox and give up the intake's rows up to `watermark`, in one step.

        Returns whether it could be written unchanged; an aggregate that cannot be encoded keeps only its counts.
        Raises `JournalError` when it cannot be written; nothing has changed then. `reduced` counts flushes that lost
        details for the journal took no longer one.
        """
        whole, keep = True, bool(self._lanes)
        try:
            await self._partition.seal(flush, watermark, keep=keep)
        except UNENCODABLE:
            whole, flush = False, writable(flush)
            await self._partition.seal(flush, watermark, keep=keep)
        self._sequence = flush.position.sequence
        self.flushes += 1
        self.groups += len(flush.aggregates)
        self.logs += flush.logs
        for lane in self._lanes:
            lane.offer(flush)
        if not self._lanes:
            self.sink_progressed()
        await self._merge_waiting()
        return whole

    async def _merge_waiting(self) -> None:
        if not self._lanes or self._sequence - min(lane.cursor for lane in self._lanes) < MERGE_AT:
            return
        cursors = [lane.cursor for lane in self._lanes]
        try:
            await self._partition.merge_waiting(cursors, self._settings.max_samples)
        except JournalError as error:
            log.warning("waiting flushes could not be merged", extra={"error": str(error)})

    def _sinks_are_current(self) -> bool:
        return not any(lane.required and lane.behind for lane in self._lanes)

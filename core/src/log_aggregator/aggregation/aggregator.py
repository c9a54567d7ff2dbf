"""Acknowledged batches → accumulators → sealed flushes: one task, in the order of the journal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Iterator

import msgspec

from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.aggregation.events import Events
from log_aggregator.aggregation.queue import AggregatesEntry, PartialsEntry, Queue, SlicesEntry
from log_aggregator.aggregation.sealer import Sealer
from log_aggregator.journal import JournalError
from log_aggregator.model.aggregate import Aggregate, Alias, Anomaly, Flush
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.sent_aggregates import SentAggregates
from log_aggregator.plugins.slices import RECORDS, slices
from log_aggregator.processing.partial_aggregates import PartialAggregate
from log_aggregator.processing.processor import Processor

ACCUMULATE_AT_ONCE = 0.005
"""Seconds of accumulating after which the event loop runs other tasks."""

MADE_AT_ONCE = 0.005
"""Seconds of making the aggregates of a flush after which the event loop runs other tasks."""

_ADDED_AT_ONCE = 64
"""Partial aggregates that are added before the clock is read."""

RETRY_SEAL = 1.0

log = logging.getLogger(__name__)


class Aggregator:
    """Aggregates acknowledged batches and has the sealer seal them. `busy_seconds` is the time spent accumulating."""

    def __init__(self, processor: Processor, accumulators: Accumulators, sealer: Sealer) -> None:
        self._processor = processor
        self._accumulators = accumulators
        self._sealer = sealer
        self._queue = Queue()
        self._events = Events()
        self._wake = asyncio.Event()
        self._watermark = 0
        self._sealing: asyncio.Task[None] | None = None
        self._forced: list[tuple[int, asyncio.Future[int]]] = []
        self.busy_seconds = 0.0

    def enqueue(self, position: int, parts: list[WorkingBatch]) -> None:
        """Queue the slices of an acknowledged batch. `position` is its place in the journal, 0 when it is not there."""
        self._queue.put(SlicesEntry(position, sum([part.size for part in parts]), parts))
        self._wake.set()

    def enqueue_processed(self, position: int, size: int, partials: list[PartialAggregate]) -> None:
        """Queue an acknowledged batch of `size` records that `Processor.process` turned into `partials`."""
        self._queue.put(PartialsEntry(position, size, partials))
        self._wake.set()

    def enqueue_aggregates(self, position: int, sent: SentAggregates) -> None:
        """Queue acknowledged aggregates of another service."""
        self._queue.put(AggregatesEntry(position, len(sent.aggregates), sent))
        self._wake.set()

    def emit(self, event: Alias | Anomaly) -> None:
        """Add an event to the next flush; of an anomaly only the newest revision."""
        self._events.add(event)
        if not self._accumulators.logs:
            self._sealer.began()
        self._wake.set()

    def take_events(self) -> list[Alias | Anomaly]:
        """Remove and return the events that no flush has yet."""
        aliases, anomalies = self._events.take()
        return [*aliases, *anomalies]

    def sink_progressed(self) -> None:
        """Check again whether a flush is due: a sink has stored one."""
        self._sealer.sink_progressed()
        self._wake.set()

    @property
    def queued(self) -> int:
        """Acknowledged records that are not aggregated yet."""
        return self._queue.records

    async def drained(self) -> None:
        """Wait until everything that was queued has been aggregated."""
        await self._queue.drained()

    async def seal_now(self) -> int:
        """Seal all that was queued before this call; the sequence of the flush that covers it."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._forced.append((self._queue.entries_put, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """Aggregate until cancelled. What is not sealed by then is in the journal."""
        try:
            while True:
                self._wake.clear()
                while self._queue:
                    await self._aggregate_next()
                    await self._seal_if_due()
                self._queue.mark_drained()
                await self._seal_if_due()
                await self._sleep()
        finally:
            if self._sealing is not None:
                self._sealing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._sealing

    async def _aggregate_next(self) -> None:
        """Aggregate one entry, or several small ones together."""
        if not self._accumulators.logs and not self._events:
            self._sealer.began()
        entry = self._queue.take()
        if isinstance(entry, PartialsEntry):
            position = await self._accumulate(entry)
            await asyncio.sleep(0)
        elif isinstance(entry, AggregatesEntry):
            position = await self._merge(entry)
        else:
            position = await self._process(entry)
        self._watermark = max(self._watermark, position)

    async def _accumulate(self, entry: PartialsEntry) -> int:
        """Accumulate a processed entry and those behind it, for a while; the position of the last.

        Several may arrive during one turn of the event loop: one per turn would never catch up.
        """
        started = time.perf_counter()
        while True:
            await self._add(entry.partials)
            self._queue.records -= entry.size
            took = time.perf_counter() - started
            following = None if took > ACCUMULATE_AT_ONCE else self._queue.take_partials()
            if following is None:
                return entry.position
            entry = following

    async def _add(self, partials: list[PartialAggregate]) -> None:
        """Add the partial aggregates of one slice, some at a time: their values may have to be summarized."""
        parts = (partials[start : start + _ADDED_AT_ONCE] for start in range(0, len(partials), _ADDED_AT_ONCE))
        await self._in_turns(map(self._accumulators.add, parts))

    async def _in_turns(self, steps: Iterable[None]) -> None:
        """Take the steps; others get their turn once they took a while."""
        started = time.perf_counter()
        for _ in steps:
            took = time.perf_counter() - started
            if took > ACCUMULATE_AT_ONCE:
                self.busy_seconds += took
                await asyncio.sleep(0)
                started = time.perf_counter()
        self.busy_seconds += time.perf_counter() - started

    async def _merge(self, entry: AggregatesEntry) -> int:
        """Merge aggregates of another service, some at a time. Their aliases ride on the flush that covers them."""
        for alias in entry.sent.aliases:
            self._events.add(alias)
        await self._in_turns(map(self._accumulators.merge, entry.sent.aggregates))
        self._queue.records -= entry.size
        return entry.position

    async def _process(self, entry: SlicesEntry) -> int:
        """Process an entry, together with those behind it while all are small: stages cost less per record then.

        Each slice has a turn of the event loop. Returns the position of the last entry.
        """
        together = [entry, *self._queue.take_slices(RECORDS - entry.size)]
        for part in _merged(together):
            partials = await self._processor.process_acknowledged(part)
            await self._add(partials)
            self._queue.records -= part.size
            await asyncio.sleep(0)
        return together[-1].position

    async def _seal_if_due(self) -> None:
        done = self._queue.entries_taken
        forced = bool(self._forced) and self._forced[0][0] <= done
        if self._sealing is not None:
            if not self._sealing.done():
                if not self._sealer.is_large(self._accumulators, times=2):
                    return
                await asyncio.wait([self._sealing])
            self._sealing = None
        events_due = bool(self._events) and self._sealer.seconds_left() <= 0
        if forced or events_due or self._sealer.is_due(self._accumulators):
            flush = self._sealer.next_flush(*self._events.take())
            sealing = self._seal(flush, self._accumulators.take(), self._watermark, done)
            self._sealing = asyncio.create_task(sealing, name="seal")
            self._sealing.add_done_callback(lambda _: self._wake.set())

    async def _seal(self, flush: Flush, taken: Iterator[Aggregate], watermark: int, done: int) -> None:
        """Seal, and retry until it succeeds. Meanwhile the records are in the intake, and more are aggregated."""
        failed = False
        flush = await self._filled(flush, taken)
        while flush.aggregates or flush.aliases or flush.anomalies:
            try:
                if not await self._sealer.seal(flush, watermark):
                    self._processor.escalate("texts")
                break
            except JournalError as error:
                if not failed:
                    log.error("cannot seal; logs stay in the journal until it works", extra={"error": str(error)})
                failed = True
                await asyncio.sleep(RETRY_SEAL)
        if failed:
            log.warning("sealing works again")
        for target, future in self._forced:
            if target <= done and not future.done():
                future.set_result(self._sealer.sequence)
        self._forced = [(target, future) for target, future in self._forced if target > done]

    async def _filled(self, flush: Flush, taken: Iterator[Aggregate]) -> Flush:
        """The flush with its aggregates, made some at a time: thousands at once would block the event loop."""
        aggregates: list[Aggregate] = []
        started = time.perf_counter()
        for aggregate in taken:
            aggregates.append(aggregate)
            if time.perf_counter() - started > MADE_AT_ONCE:
                await asyncio.sleep(0)
                started = time.perf_counter()
        invalid, self._accumulators.found_invalid = self._accumulators.found_invalid, False
        self._processor.escalate_if_invalid(accumulated=invalid)
        logs = sum([aggregate.count for aggregate in aggregates])
        return msgspec.structs.replace(flush, logs=logs, aggregates=tuple(aggregates))

    async def _sleep(self) -> None:
        timeout = None
        if self._accumulators.logs or self._events:
            timeout = max(0.0, self._sealer.seconds_left())
            until_size = self._sealer.seconds_until_size()
            if until_size > 0:
                timeout = min(timeout, until_size)
            if self._sealing is not None:
                timeout = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._wake.wait()


def _merged(entries: list[SlicesEntry]) -> list[WorkingBatch]:
    """The slices of one entry, or of all records that several hold together."""
    parts = [part for entry in entries for part in entry.slices]
    if len(entries) == 1 or any(part.stages_done for part in parts):
        return parts
    return [*slices(WorkingBatch([record for part in parts for record in part.records()]))]

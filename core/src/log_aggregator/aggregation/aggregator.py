"""Acknowledged records → groups: runs the stages, folds and lets the sealer seal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.aggregation.sealer import Sealer
from log_aggregator.journal import JournalError
from log_aggregator.model.aggregate import Aggregate, Alias, Anomaly, Flush
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.plugins.slices import RECORDS, slices
from log_aggregator.processing.partial_aggregates import PartialAggregate
from log_aggregator.processing.processor import Processor

FOLD_AT_ONCE = 0.005
"""Seconds after which folding lets others have their turn."""

MADE_AT_ONCE = 200
"""Aggregates of a flush that are made before others have their turn: a few milliseconds."""

RETRY_SEAL = 1.0

log = logging.getLogger(__name__)


class _Queued(NamedTuple):
    """An acknowledged batch: its slices until the stages have seen them, its kinds from then on."""

    position: int
    size: int
    slices: list[WorkingBatch]
    kinds: list[PartialAggregate] | None


class Aggregator:
    """Takes acknowledged batches in journal order and owns what has gathered since the last seal."""

    def __init__(self, processor: Processor, fold: Accumulators, sealer: Sealer) -> None:
        self._processor = processor
        self._fold = fold
        self._sealer = sealer
        self._queue: deque[_Queued] = deque()
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._watermark = 0
        self._aliases: list[Alias] = []
        self._anomalies: dict[str, Anomaly] = {}
        self._sealing: asyncio.Task[None] | None = None
        self._forced: list[tuple[int, asyncio.Future[int]]] = []
        self._put = 0
        self._done = 0
        self.queued = 0
        self.busy_seconds = 0.0

    def enqueue(self, position: int, parts: list[WorkingBatch]) -> None:
        """Queue the slices of an acknowledged batch. `position` is its place in the journal, 0 when it is not there."""
        self._queue_up(_Queued(position, sum([part.size for part in parts]), parts, None))

    def enqueue_processed(self, position: int, size: int, kinds: list[PartialAggregate]) -> None:
        """Queue an acknowledged batch of `size` records of which `Processor.process` gave the kinds."""
        self._queue_up(_Queued(position, size, [], kinds))

    def _queue_up(self, batch: _Queued) -> None:
        self._queue.append(batch)
        self._put += 1
        self._drained.clear()
        self.queued += batch.size
        self._wake.set()

    def emit(self, event: Alias | Anomaly) -> None:
        """Let an event ride on the next flush; of an anomaly only the newest revision does."""
        if isinstance(event, Alias):
            self._aliases.append(event)
        else:
            known = self._anomalies.get(event.id)
            if known is None or event.revision >= known.revision:
                self._anomalies[event.id] = event
        if not self._fold.logs:
            self._sealer.began()
        self._wake.set()

    def wake(self) -> None:
        """Look again whether something is due: a sink has caught up."""
        self._sealer.settled()
        self._wake.set()

    async def drained(self) -> None:
        """Wait until everything that was queued has been folded."""
        if self.queued:
            await self._drained.wait()

    @property
    def groups(self) -> int:
        """Groups that have gathered since the last seal."""
        return len(self._fold)

    @property
    def gathered_bytes(self) -> int:
        """About what the texts take that have gathered since the last seal."""
        return self._fold.bytes

    @property
    def overflowed(self) -> int:
        """Logs that went to the overflow pattern."""
        return self._fold.overflowed

    async def seal_now(self) -> int:
        """Seal all that was queued before this call; the sequence of the flush that covers it."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._forced.append((self._put, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """Work for ever; cancel to stop. What is not sealed then is in the journal."""
        try:
            while True:
                self._wake.clear()
                while self._queue:
                    await self._work()
                    await self._seal_if_due()
                self._drained.set()
                await self._seal_if_due()
                await self._sleep()
        finally:
            if self._sealing is not None:
                self._sealing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._sealing

    async def _work(self) -> None:
        """Fold one batch, or several small ones together, up to a batch's end."""
        if not self._fold.logs and not self._has_events():
            self._sealer.began()
        batch = self._queue.popleft()
        self._done += 1
        if batch.kinds is None:
            together = [batch, *self._neighbors(batch)]
            await self._process_in_turns(_merged(together))
            position = together[-1].position
        else:
            position = self._fold_treated(batch.size, batch.kinds, batch.position)
            await asyncio.sleep(0)
        self._watermark = max(self._watermark, position)

    def _fold_treated(self, size: int, kinds: list[PartialAggregate], position: int) -> int:
        """Fold a treated batch and those behind it, for a while; the position of the last.

        Several may come while the event loop turns once: one a turn would never catch up.
        """
        started = time.perf_counter()
        while True:
            self._fold.add(kinds)
            self.queued -= size
            took = time.perf_counter() - started
            following = self._queue[0] if self._queue else None
            if following is None or following.kinds is None or took > FOLD_AT_ONCE:
                self.busy_seconds += took
                return position
            self._queue.popleft()
            self._done += 1
            size, kinds, position = following.size, following.kinds, following.position

    def _neighbors(self, batch: _Queued) -> list[_Queued]:
        """The untreated batches after one, as long as all are small together: stages like many records at once."""
        found: list[_Queued] = []
        size = batch.size
        while size < RECORDS and self._queue and self._queue[0].kinds is None:
            found.append(self._queue.popleft())
            self._done += 1
            size += found[-1].size
        return found

    async def _process_in_turns(self, parts: list[WorkingBatch]) -> None:
        """Process and accumulate slices, each in a turn of the event loop."""
        for part in parts:
            self._fold.add(await self._processor.process_acknowledged(part))
            self.queued -= part.size
            await asyncio.sleep(0)

    async def _seal_if_due(self) -> None:
        forced = bool(self._forced) and self._forced[0][0] <= self._done
        if self._sealing is not None:
            if not self._sealing.done():
                if not self._sealer.is_large(self._fold, times=2):
                    return
                await asyncio.wait([self._sealing])
            self._sealing = None
        events_due = self._has_events() and self._sealer.seconds_left() <= 0
        if forced or events_due or self._sealer.is_due(self._fold):
            flush = self._sealer.next_flush(self._aliases, list(self._anomalies.values()))
            self._aliases, self._anomalies = [], {}
            sealing = self._seal(flush, self._fold.take(), self._watermark, self._done)
            self._sealing = asyncio.create_task(sealing, name="seal")
            self._sealing.add_done_callback(lambda _: self._wake.set())

    async def _seal(self, flush: Flush, taken: Iterator[Aggregate], watermark: int, done: int) -> None:
        """Seal until it has worked. Meanwhile the records are safe in the intake, and more gather."""
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
        """The flush with its aggregates, made some at a time: thousands at once would hold the others up."""
        aggregates: list[Aggregate] = []
        while some := list(islice(taken, MADE_AT_ONCE)):
            aggregates += some
            await asyncio.sleep(0)
        accumulated, self._fold.garbled = self._fold.garbled, False
        self._processor.escalate_if_invalid(accumulated=accumulated)
        logs = sum([aggregate.count for aggregate in aggregates])
        return msgspec.structs.replace(flush, logs=logs, aggregates=tuple(aggregates))

    async def _sleep(self) -> None:
        timeout = None
        if self._fold.logs or self._has_events():
            timeout = max(0.0, self._sealer.seconds_left())
            until_size = self._sealer.seconds_until_size()
            if until_size > 0:
                timeout = min(timeout, until_size)
            if self._sealing is not None:
                timeout = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._wake.wait()

    def _has_events(self) -> bool:
        return bool(self._aliases or self._anomalies)


def _merged(queued: list[_Queued]) -> list[WorkingBatch]:
    """The slices of one, or those of all that several hold together."""
    if len(queued) == 1 or any(part.stages_done for one in queued for part in one.slices):
        return [part for one in queued for part in one.slices]
    return [*slices(WorkingBatch([record for one in queued for part in one.slices for record in part.records()]))]

"""One owned partition of a shared journal: read for ever, aggregated, sealed, delivered; anew when superseded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from log_aggregator.journal import JournalError, RowContent, SharedPartition
from log_aggregator.model.aggregate import Alias, Anomaly
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.sent_aggregates import SentAggregates
from log_aggregator.plugins.slices import slices
from log_aggregator.service.partitions.fence import Fenced
from log_aggregator.service.partitions.sealing import SharedSealer
from log_aggregator.service.partitions.work import PartitionWork, Sealed
from log_aggregator.service.supervision import RESTART_TASK, cancelled, supervised

READ_ROWS = 32
"""Rows that are read at once."""

AHEAD = 20_000
"""Records that wait to be aggregated beyond which no more are read."""

POLL = 0.2
"""Seconds after which an empty partition is read again."""

log = logging.getLogger(__name__)


class PartitionRun:
    """Works on one partition until it is cancelled. `work` is what is open now, `None` while it starts anew.

    What is aggregated and not sealed is dropped at the end: the next owner reads it again. Only events are kept, in
    `events`.
    """

    def __init__(
        self,
        name: str,
        view: Callable[[], SharedPartition],
        wire: Callable[[Fenced], PartitionWork],
        events: list[Alias | Anomaly],
    ) -> None:
        """`view` makes a new view of the partition, `wire` its parts."""
        self.name = name
        self._view = view
        self._wire = wire
        self._events = events
        self._partition: SharedPartition | None = None
        self._hurry = asyncio.Event()
        self._moved = asyncio.Condition()
        self._position = 0
        self.work: PartitionWork | None = None

    async def run(self) -> None:
        """Work on the partition; start anew when another process has sealed, or when something fails."""
        while True:
            try:
                await self._once()
                log.info("another process has sealed; starting anew", extra={"partition": self.name})
            except JournalError as error:
                log.warning("a partition waits for the journal", extra={"partition": self.name, "error": str(error)})
                await asyncio.sleep(RESTART_TASK)
            except Exception:
                log.exception("a partition failed and is started again", extra={"partition": self.name})
                await asyncio.sleep(RESTART_TASK)

    async def seal(self) -> Sealed | None:
        """Seal all rows that are there now; `None` when the work was ended or started anew meanwhile.

        The caller sets the deadline. Raises `JournalError`.
        """
        work, partition = self.work, self._partition
        if work is None or partition is None:
            return None
        newest = await partition.newest()
        self._hurry.set()
        async with self._moved:
            await self._moved.wait_for(lambda: self._position >= newest or self.work is not work)
        sealing = asyncio.ensure_future(work.aggregator.seal_now())
        ended = asyncio.ensure_future(self._end_of(work))
        try:
            await asyncio.wait([sealing, ended], return_when=asyncio.FIRST_COMPLETED)
            return Sealed(work, sealing.result()) if sealing.done() else None
        finally:
            sealing.cancel()
            ended.cancel()

    async def _end_of(self, work: PartitionWork) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self.work is not work)

    async def _once(self) -> None:
        """Work until another process seals. Raises what the start raises."""
        partition = self._view()
        fenced = Fenced(partition)
        work = self._wire(fenced)
        await work.open()
        self._position = (await fenced.stand()).upto
        for event in self._events:
            work.aggregator.emit(event)
        self._events.clear()
        runs = {"aggregator": work.aggregator.run, "reader": lambda: self._read(work, fenced)}
        runs |= {f"lane {lane.name}": lane.run for lane in work.lanes}
        tasks = [
            asyncio.create_task(supervised(run, f"{name} of partition {self.name}"), name=f"{name} {self.name}")
            for name, run in runs.items()
        ]
        self.work, self._partition = work, partition
        try:
            await fenced.superseded.wait()
        finally:
            self.work = self._partition = None
            await cancelled(tasks)
            self._events += [*fenced.unsealed, *work.aggregator.take_events()]
            async with self._moved:
                self._moved.notify_all()

    async def _read(self, work: PartitionWork, fenced: Fenced) -> None:
        """Give rows to the aggregator, for ever."""
        while True:
            rows = await fenced.read(self._position, READ_ROWS)
            for position, row in rows:
                _enqueue(work, position, row)
            async with self._moved:
                self._position = rows[-1][0] if rows else self._position
                self._moved.notify_all()
            if not rows:
                await self._pause()
            elif work.aggregator.queued > AHEAD:
                await work.aggregator.drained()
            while _is_full(work):  # a sink is away: the rest stays in the intake
                await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(POLL):
                await self._hurry.wait()
        except TimeoutError:
            pass
        self._hurry.clear()


def _enqueue(work: PartitionWork, position: int, row: RowContent) -> None:
    if isinstance(row, SentAggregates):
        work.aggregator.enqueue_aggregates(position, row)
    else:
        work.aggregator.enqueue(position, list(slices(WorkingBatch(row))))


def _is_full(work: PartitionWork) -> bool:
    sealer = work.sealer
    return isinstance(sealer, SharedSealer) and sealer.holds_back and sealer.is_large(work.accumulators)

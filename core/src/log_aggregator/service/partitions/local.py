"""The one partition of a journal that this process alone has open."""

from __future__ import annotations

import logging
from collections.abc import Callable

from log_aggregator.delivery.lane import Lane
from log_aggregator.model.aggregate import Alias, Anomaly
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.sent_aggregates import SentAggregates
from log_aggregator.plugins.slices import slices
from log_aggregator.service.partitions.work import PartitionWork, Sealed
from log_aggregator.service.supervision import Work

REPLAY_ROWS = 16

log = logging.getLogger(__name__)


class LocalPartition:
    """Implements `Partitions`: what was acknowledged before a crash is read once, before new records are accepted."""

    def __init__(self, work: PartitionWork) -> None:
        self.works = [work]
        self.lanes_apart: list[Lane] = []
        self.tally = work.accumulators.tally
        self._work = work

    async def start(self, spawn: Callable[[Work, str], None]) -> None:
        """Start the tasks and replay the journal."""
        spawn(self._work.aggregator.run, "aggregator")
        for lane in self._work.lanes:
            spawn(lane.run, f"lane {lane.name}")
        await self._replay()

    async def stop(self) -> None:
        """Nothing: the tasks are those of the node."""

    def emit(self, event: Alias | Anomaly) -> None:
        """Add an event to the next flush."""
        self._work.aggregator.emit(event)

    async def seal(self) -> list[Sealed]:
        """Seal all that was queued before this call."""
        return [Sealed(self._work, await self._work.aggregator.seal_now())]

    async def _replay(self) -> None:
        aggregator, partition = self._work.aggregator, self._work.partition
        position, replayed = (await partition.stand()).upto, 0
        while rows := await partition.read(position, REPLAY_ROWS):
            for position, row in rows:
                if isinstance(row, SentAggregates):
                    replayed += row.logs
                    aggregator.enqueue_aggregates(position, row)
                else:
                    replayed += len(row)
                    aggregator.enqueue(position, list(slices(WorkingBatch(row))))
            await aggregator.drained()
        if replayed:
            log.info("replayed acknowledged logs from the journal", extra={"logs": replayed})

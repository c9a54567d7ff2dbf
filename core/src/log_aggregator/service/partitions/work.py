"""The parts that work on one partition, wired: accumulators, aggregator, sealer, and a lane for each sink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.aggregation.aggregator import Aggregator
from log_aggregator.aggregation.sealer import Sealer
from log_aggregator.aggregation.tally import Tally
from log_aggregator.config.settings import Settings
from log_aggregator.delivery.lane import Lane
from log_aggregator.journal import Partition
from log_aggregator.model.aggregate import Alias, Anomaly
from log_aggregator.processing.processor import Processor
from log_aggregator.service.partitions.lanes import LaneMaker
from log_aggregator.service.supervision import Work


@dataclass(frozen=True, slots=True, eq=False)
class PartitionWork:
    """What one partition needs, `open` once before its tasks run."""

    partition: Partition
    lanes: list[Lane]
    sealer: Sealer
    accumulators: Accumulators
    aggregator: Aggregator

    async def open(self) -> None:
        """Read where the partition and its lanes stand. Raises `JournalError`."""
        await self.sealer.open()
        for lane in self.lanes:
            await lane.open()


class Sealed(NamedTuple):
    """What was sealed: the work, and the sequence of its newest flush."""

    work: PartitionWork
    sequence: int


class Partitions(Protocol):
    """The partitions that this process works on. `works` are those that are open now."""

    @property
    def works(self) -> list[PartitionWork]:
        """What is open now: the same for ever, or as partitions come and go."""

    @property
    def tally(self) -> Tally:
        """What this process has aggregated; of a shared journal what it has sealed, which no other member counts."""

    @property
    def lanes_apart(self) -> list[Lane]:
        """Lanes beside those of the works."""

    async def start(self, spawn: Callable[[Work, str], None]) -> None:
        """Start the tasks; what was acknowledged before is read first where it must be."""

    async def stop(self) -> None:
        """End what was started beside the spawned tasks."""

    def emit(self, event: Alias | Anomaly) -> None:
        """Add an event to the next flush of some partition."""

    async def seal(self) -> list[Sealed]:
        """Seal all that was acknowledged before this call, in the partitions that this process owns."""


def work_of(
    settings: Settings,
    lanes_of: LaneMaker,
    processor: Processor,
    partition: Partition,
    sealer: Callable[[Settings, Partition, list[Lane]], Sealer] = Sealer,
) -> PartitionWork:
    """Wire the parts that work on a partition; none runs yet."""

    def on_progress() -> None:  # lanes run only when the aggregator is there
        aggregator.sink_progressed()

    lanes = lanes_of.lanes(partition, on_progress)
    made = sealer(settings, partition, lanes)
    accumulators = Accumulators(settings.max_groups, settings.max_samples)
    aggregator = Aggregator(processor, accumulators, made)
    return PartitionWork(partition, lanes, made, accumulators, aggregator)

"""What differs for the partitions of a shared journal: when they are sealed, their limits, and what is refused."""

from __future__ import annotations

import asyncio
import logging

from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.aggregation.sealer import Sealer
from log_aggregator.aggregation.tally import Tally
from log_aggregator.config.settings import Settings
from log_aggregator.delivery.lane import Lane
from log_aggregator.errors import ConfigError
from log_aggregator.journal import MERGE_AT, Partition, SharedJournal, TooLargeError
from log_aggregator.model.aggregate import Flush
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.plugins.checks import instances_of
from log_aggregator.plugins.registry import Registry
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.partial_aggregates import PartialAggregate, PreAggregator
from log_aggregator.processing.processor import Processor
from log_aggregator.service.partitions.reducing import reductions

LOOK_AGAIN = 1.0
"""Seconds after which a seal that was held back is looked at again."""

MOST_BYTES = 16 * 1024 * 1024
"""Bytes of text in memory at which a flush is sealed: compressed, it should fit into one message of the journal."""

log = logging.getLogger(__name__)


class SharedSealer(Sealer):
    """A flush is a replicated write of its own: `batch_size` seals none.

    Flushes of a shared journal cannot be merged while they wait. So while a required sink is away few are sealed, and
    the rest stays as it is in the intake.
    """

    def __init__(self, settings: Settings, partition: Partition, lanes: list[Lane], tally: Tally) -> None:
        """`tally` counts what is sealed: of all members that work on some logs, one seals them."""
        super().__init__(settings, partition, lanes)
        self._tally = tally

    async def seal(self, flush: Flush, watermark: int) -> bool:
        """See `Sealer.seal`."""
        whole = await self._seal_what_fits(flush, watermark)
        for aggregate in flush.aggregates:
            self._tally.count(aggregate.level, aggregate.source, aggregate.count)
        return whole

    async def _seal_what_fits(self, flush: Flush, watermark: int) -> bool:
        """Seal the flush, or the longest of its reductions that the journal takes. The sinks get what was sealed."""
        try:
            return await super().seal(flush, watermark)
        except TooLargeError as error:
            failure = error
        for reduced, lost in reductions(flush):
            try:
                whole = await super().seal(reduced, watermark)
            except TooLargeError as error:
                failure = error
                continue
            self.reduced += 1
            log.error(
                "a flush was longer than the journal takes and lost details; its totals are exact",
                extra={"lost": lost, "groups": len(flush.aggregates), "logs": flush.logs},
            )
            return whole
        raise failure

    def is_due(self, accumulators: Accumulators) -> bool:
        """See `Sealer.is_due`."""
        if not accumulators.logs:
            return False
        return self.is_large(accumulators) or (self.seconds_left() <= 0 and not self.holds_back)

    @property
    def holds_back(self) -> bool:
        """Whether as many flushes wait for a required sink as are sealed for time."""
        behind = [self._sequence - lane.cursor for lane in self._lanes if lane.required]
        return max(behind, default=0) >= MERGE_AT

    def seconds_left(self) -> float:
        """See `Sealer.seconds_left`."""
        left = super().seconds_left()
        return max(left, LOOK_AGAIN) if self.holds_back else left

    def seconds_until_size(self) -> float:
        """See `Sealer.seconds_until_size`: size alone seals none."""
        return 0.0


def shared_settings(settings: Settings, partitions: int) -> Settings:
    """The limits of one partition, of so many that this process may own."""
    return settings.model_copy(
        update={
            "max_groups": max(10, settings.max_groups // partitions),
            "max_buffer_bytes": max(1024 * 1024, min(settings.max_buffer_bytes // partitions, MOST_BYTES)),
        }
    )


class InTurns(Processor):
    """Several partitions share the stages: a stage in a process of its own gets one batch after the other."""

    def __init__(self, stages: Stages, aggregator: PreAggregator) -> None:
        super().__init__(stages, aggregator)
        self._turn = asyncio.Lock()

    async def process_acknowledged(self, batch: WorkingBatch) -> list[PartialAggregate]:
        """See `Processor.process_acknowledged`."""
        async with self._turn:
            return await super().process_acknowledged(batch)


def check_shared(settings: Settings, registry: Registry, journal: SharedJournal) -> None:
    """Switch plugins off that run once in the cluster and not here. Raises `ConfigError` for what cannot be done."""
    for plugin in registry.plugins:
        if plugin.name == "edges":
            raise ConfigError(
                f"{plugin.entry.where}: a shared journal takes no aggregates of edges: the place in a chain "
                "is known to one member only; let a service with the embedded journal take them in"
            )
        if instances_of(plugin.instance) == "cluster" and not journal.runs_once:
            plugin.hooks = {"on_flush": plugin.hooks["on_flush"]} if "on_flush" in plugin.hooks else {}
    if settings.durability == "memory":
        raise ConfigError("DURABILITY: memory: a shared journal keeps every log; expected journal")

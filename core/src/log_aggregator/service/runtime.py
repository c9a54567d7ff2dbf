"""The parts of one process, wired: opened and closed in order."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.aggregation.aggregator import Aggregator
from log_aggregator.aggregation.sealer import Sealer
from log_aggregator.aggregation.tally import Tally
from log_aggregator.config.field_names import read_fields
from log_aggregator.config.limits import limits_of
from log_aggregator.config.pipeline import read_journal
from log_aggregator.config.place import Place
from log_aggregator.config.private import make_private
from log_aggregator.config.settings import Settings
from log_aggregator.delivery.lane import Lane
from log_aggregator.errors import ConfigError
from log_aggregator.ingest.aggregates import AggregateIngester
from log_aggregator.ingest.ingester import Ingester
from log_aggregator.ingest.shared import SharedIngester
from log_aggregator.journal import Journal, JournalPlace, shared
from log_aggregator.model.fields.construct import configure
from log_aggregator.plugins.context import Registrations
from log_aggregator.plugins.isolation import StallWatchdog, packages_of
from log_aggregator.plugins.journals import open_journal
from log_aggregator.plugins.registry import Registry
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.partial_aggregates import PreAggregator
from log_aggregator.processing.processor import Processor
from log_aggregator.service.latency import Latency
from log_aggregator.service.partitions.apart import LanesApart
from log_aggregator.service.partitions.lanes import LaneMaker
from log_aggregator.service.partitions.local import LocalPartition
from log_aggregator.service.partitions.owned import OwnedPartitions
from log_aggregator.service.partitions.sealing import InTurns, SharedSealer, check_shared, shared_settings
from log_aggregator.service.partitions.work import Partitions, PartitionWork, work_of
from log_aggregator.service.receivers import Receivers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Runtime:
    """Every part of a running process. Complete when made.

    `settings.data_dir` is this worker's directory, `shared_dir` that of all workers, `instance` the identity of the
    former. `latency` is from the arrival of a request to its acknowledgement.
    """

    settings: Settings
    shared_dir: Path
    place: Place
    instance: str
    registry: Registry
    registrations: Registrations
    journal: Journal
    stages: Stages
    processor: Processor
    partitions: Partitions
    ingester: Ingester
    aggregate_ingester: AggregateIngester
    receivers: Receivers
    latency: Latency

    @property
    def works(self) -> list[PartitionWork]:
        """What works on the partitions that this process has now."""
        return self.partitions.works

    @property
    def lanes(self) -> list[Lane]:
        """The lanes of every partition."""
        return [*(lane for work in self.works for lane in work.lanes), *self.partitions.lanes_apart]

    @property
    def aggregator(self) -> Aggregator:
        """The aggregator of the embedded journal's only partition."""
        return self.works[0].aggregator

    @property
    def sealer(self) -> Sealer:
        """The sealer of the embedded journal's only partition."""
        return self.works[0].sealer

    @property
    def accumulators(self) -> Accumulators:
        """The accumulators of the embedded journal's only partition."""
        return self.works[0].accumulators


@asynccontextmanager
async def open_runtime(settings: Settings, registry: Registry, place: Place) -> AsyncIterator[Runtime]:
    """Open the journal and wire all parts; no task runs yet. Leaving closes them in reverse order.

    `settings.data_dir` is the directory of all workers. Raises `ConfigError` when the data directory cannot be used.
    """
    shared_dir = settings.data_dir
    configure(limits_of(settings), read_fields(settings.plugins_file))
    entry = read_journal(settings.plugins_file)
    settings = settings.model_copy(update={"data_dir": place.data_dir(shared_dir)})
    journal_place = JournalPlace(settings.data_dir, settings.idempotency_keys, place.number, place.total)
    try:
        await asyncio.to_thread(make_private, settings.data_dir)
    except OSError as error:
        raise ConfigError(f"DATA_DIR {settings.data_dir}: cannot be used: {error}") from error
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(open_journal(entry, os.environ, journal_place))
        if journal.damage:
            log.error(journal.damage)
        of_all = shared(journal)
        if of_all is not None:
            check_shared(settings, registry, of_all)
        stages = Stages(registry)
        stack.enter_context(_watchdog(registry, stages).running())
        pre_aggregator = PreAggregator(settings.aggregation_bucket, _group_by(settings))
        partitions: Partitions
        if of_all is None:
            processor = Processor(stages, pre_aggregator)
            work = work_of(settings, LaneMaker(settings, registry, stages), processor, journal.partition)
            partitions = LocalPartition(work)
            ingester = Ingester(settings, stages, processor, journal, work.aggregator)
            instance = journal.partition.identity.instance
            await work.open()
        else:
            processor = InTurns(stages, pre_aggregator)
            own = shared_settings(settings, len(of_all.partition_names))
            lanes_of = LaneMaker(settings, registry, stages, once=True)
            tally = Tally()
            wire = partial(work_of, own, lanes_of, processor, sealer=partial(SharedSealer, tally=tally))
            apart = LanesApart(of_all, lanes_of) if of_all.runs_once and lanes_of.has_apart else None
            partitions = OwnedPartitions(of_all, wire, tally, apart)
            ingester = SharedIngester(settings, stages, processor, of_all)
            instance = of_all.member
        durable = settings.durability == "journal"
        of_others = AggregateIngester(ingester, stages, journal.positions, settings.aggregation_bucket, durable=durable)
        yield Runtime(
            settings=settings,
            shared_dir=shared_dir,
            place=place,
            instance=instance,
            registry=registry,
            registrations=Registrations(),
            journal=journal,
            stages=stages,
            processor=processor,
            partitions=partitions,
            ingester=ingester,
            aggregate_ingester=of_others,
            receivers=Receivers(settings, place),
            latency=Latency(),
        )


def _group_by(settings: Settings) -> tuple[str, ...]:
    return tuple(key.strip() for key in settings.group_by.split(",") if key.strip())


def _watchdog(registry: Registry, stages: Stages) -> StallWatchdog:
    """The watchdog of the event loop. Stages and lanes set which plugin runs."""
    stages.watch = StallWatchdog(stages.circuits, packages_of(registry.plugins))
    return stages.watch

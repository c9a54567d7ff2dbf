"""The parts of one process, wired: opened and closed in order."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.aggregation.aggregator import Aggregator
from log_aggregator.aggregation.sealer import Sealer
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
from log_aggregator.journal import Journal, JournalPlace, Partition
from log_aggregator.model.fields.construct import configure
from log_aggregator.plugins.context import Registrations
from log_aggregator.plugins.isolation import StallWatchdog, packages_of
from log_aggregator.plugins.journals import open_journal
from log_aggregator.plugins.registry import Registry
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.partial_aggregates import PreAggregator
from log_aggregator.processing.processor import Processor
from log_aggregator.service.latency import Latency
from log_aggregator.service.receivers import Receivers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Runtime:
    """Every part of a running process. Complete when made.

    `settings.data_dir` is this worker's directory, `shared_dir` that of all workers, `instance` the identity of the
    former. `latency` is from the arrival of a request to its acknowledgement, `started` in seconds since 1970.
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
    lanes: list[Lane]
    sealer: Sealer
    accumulators: Accumulators
    aggregator: Aggregator
    ingester: Ingester
    aggregate_ingester: AggregateIngester
    receivers: Receivers
    latency: Latency
    started: float


@asynccontextmanager
async def open_runtime(settings: Settings, registry: Registry, place: Place) -> AsyncIterator[Runtime]:
    """Open the journal and wire all parts; no task runs yet. Leaving closes them in reverse order.

    `settings.data_dir` is the directory of all workers. Raises `ConfigError` when the data directory cannot be used.
    """
    started = time.time()
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
        partition = journal.partition
        stages = Stages(registry)

        def on_progress() -> None:  # lanes run only when the aggregator is there
            aggregator.sink_progressed()

        lanes = _lanes(settings, registry, stages, partition, on_progress)
        sealer = Sealer(settings, partition, lanes)
        accumulators = Accumulators(settings.max_groups, settings.max_samples)
        processor = Processor(stages, PreAggregator(settings.aggregation_bucket, _group_by(settings)))
        aggregator = Aggregator(processor, accumulators, sealer)
        ingester = Ingester(settings, stages, processor, journal, aggregator)
        durable = settings.durability == "journal"
        of_others = AggregateIngester(ingester, stages, journal.positions, settings.aggregation_bucket, durable=durable)
        await sealer.open()
        for lane in lanes:
            await lane.open()
        stack.enter_context(_watchdog(registry, stages, lanes).running())
        yield Runtime(
            settings=settings,
            shared_dir=shared_dir,
            place=place,
            instance=partition.identity.instance,
            registry=registry,
            registrations=Registrations(),
            journal=journal,
            stages=stages,
            processor=processor,
            lanes=lanes,
            sealer=sealer,
            accumulators=accumulators,
            aggregator=aggregator,
            ingester=ingester,
            aggregate_ingester=of_others,
            receivers=Receivers(settings, place),
            latency=Latency(),
            started=started,
        )


def _lanes(
    settings: Settings,
    registry: Registry,
    stages: Stages,
    partition: Partition,
    on_progress: Callable[[], None],
) -> list[Lane]:
    sinks = registry.with_hook("on_flush")
    names = [plugin.name for plugin in sinks]
    circuits = stages.circuits
    return [
        Lane(plugin, partition, names, settings.sink_timeout, on_progress, circuits[plugin.name]) for plugin in sinks
    ]


def _group_by(settings: Settings) -> tuple[str, ...]:
    return tuple(key.strip() for key in settings.group_by.split(",") if key.strip())


def _watchdog(registry: Registry, stages: Stages, lanes: list[Lane]) -> StallWatchdog:
    """The watchdog of the event loop. Stages and lanes set which plugin runs."""
    watchdog = StallWatchdog(stages.circuits, packages_of(registry.plugins))
    stages.watch = watchdog
    for lane in lanes:
        lane.sink.watch = watchdog
    return watchdog

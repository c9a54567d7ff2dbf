"""What the entry point names: opens the journal, and shows what is proved of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from log_aggregator import ConfigError
from log_aggregator.journals import JournalError, JournalPlace, ReaderPositions, SupersededError
from log_aggregator_jetstream.config import JetstreamConfig
from log_aggregator_jetstream.connection import Connection, connected
from log_aggregator_jetstream.journal import JetstreamJournal
from log_aggregator_jetstream.kept import Kept
from log_aggregator_jetstream.partition import JetstreamPartition
from log_aggregator_jetstream.positions import read_positions
from log_aggregator_jetstream.proofs import check_server, unproven, version_of
from log_aggregator_jetstream.streams import Names, found, made, misfits, missing_replicas, wanted_streams


class JetstreamPlugin:
    """Keeps the journal in NATS JetStream: an acknowledged log is on the disks of most of its servers."""

    Config = JetstreamConfig

    def __init__(self, config: JetstreamConfig) -> None:
        self._config = config

    @asynccontextmanager
    async def open(self, place: JournalPlace) -> AsyncIterator[JetstreamJournal]:
        """Connect, make the streams where there are none, and show the others that this member lives."""
        config, names = self._config, Names(self._config.name)
        if place.workers > 1:
            raise ConfigError("WORKERS: expected 1 with a journal in JetStream; start several services instead")
        async with connected(config) as connection:
            check_server(connection)
            remark = await unproven(config)
            infos = {stream.name: await made(connection, stream) for stream in wanted_streams(config)}
            kept = Kept(connection, names)
            try:
                await _agree_on_partitions(kept, config.partitions)
                partitions = [
                    JetstreamPartition(
                        connection, names, kept, one, (infos[names.intake(one)], infos[names.outbox(one)])
                    )
                    for one in range(config.partitions)
                ]
                journal = JetstreamJournal(connection, names, config, partitions)
                positions = await read_positions(connection, names, kept, config.partitions, config.member)
                await journal.look()
            except JournalError as error:
                raise ConfigError(str(error)) from error
            journal.positions = ReaderPositions(positions)
            journal.remark = remark
            async with journal.running():
                yield journal

    async def check(self) -> list[str]:
        """What is proved of the servers and the streams, and what is not."""
        config = self._config
        async with connected(config) as connection:
            check_server(connection)
            lines = [f"nats-server {'.'.join(map(str, version_of(connection)))}, log {config.name!r}"]
            lines.append(await unproven(config) or f"every one of {len(config.monitors)} servers syncs always: proved")
            try:
                lines += await _streams(connection, config)
            except JournalError as error:
                raise ConfigError(str(error)) from error
        if config.replicas == 1:
            lines.append("replicas is 1: the loss of the machine loses acknowledged logs")
        return lines


async def _agree_on_partitions(kept: Kept, wanted: int) -> None:
    """Every service has the same number: a key must meet the partition of its first request."""
    value = await kept.load("partitions")
    if value is None:
        try:
            await kept.replace(str(wanted).encode(), 0, "partitions")
        except SupersededError:
            value = await kept.load("partitions")
    if value is not None and int(value.body) != wanted:
        raise ConfigError(
            f"partitions: {wanted}: the log has {int(value.body)}; to change it, stop all senders, wait until "
            "everything is stored, stop all services and start with another name"
        )


async def _streams(connection: Connection, config: JetstreamConfig) -> list[str]:
    """What is proved of the streams. Raises `ConfigError` when one is not as it must be."""
    absent, missing = 0, []
    for stream in wanted_streams(config):
        info = await found(connection, stream.name or "")
        if info is None:
            absent += 1
            continue
        if wrong := misfits(info, stream):
            raise ConfigError(f"the stream {stream.name} is not as it must be: {'; '.join(wrong)}")
        if lacks := missing_replicas(info, config.replicas):
            missing.append(lacks)
    if absent:
        return [f"{absent} streams are not there yet: the first start makes them", *missing]
    kind = f"{config.replicas} replicas, discard new, window {config.window} s"
    return missing or [f"{config.partitions} partitions, {kind}: proved, all current"]

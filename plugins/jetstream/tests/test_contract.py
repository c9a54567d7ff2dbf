"""Everything that the service expects of a journal, of this one: on one real server, and on a cluster of three."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js.errors import NotFoundError

from log_aggregator.journals import JournalPlace
from log_aggregator_dev import JournalContract
from log_aggregator_jetstream import JetstreamConfig, JetstreamPlugin
from log_aggregator_jetstream.streams import Names, wanted_streams
from tests.support.nats import NatsCluster, needs_nats

pytestmark = needs_nats


def log_name(directory: Path) -> str:
    return f"t{zlib.crc32(str(directory).encode()):08x}"


class JetstreamUnderTest(JournalContract):
    cluster: NatsCluster
    plugin: type[JetstreamPlugin] = JetstreamPlugin

    def config(self, directory: Path) -> JetstreamConfig:
        replicas = self.cluster.size
        return JetstreamConfig(
            servers=tuple(self.cluster.servers),
            name=log_name(directory),
            member="m",
            partitions=1,
            replicas=replicas,
            max_bytes=64 * 1024 * 1024,
        )

    @asynccontextmanager
    async def make_journal(self, directory: Path) -> Any:
        async with self.plugin(self.config(directory)).open(JournalPlace(directory, 1000)) as journal:
            yield journal

    @asynccontextmanager
    async def around(self, directory: Path) -> Any:
        """A log is deleted at the end of its check: the servers hold few at a time."""
        try:
            yield
        finally:
            async with self._client() as client:
                for stream in wanted_streams(self.config(directory / "journal")):
                    with suppress(NotFoundError):
                        await client.jetstream().delete_stream(stream.name)

    async def crash(self, directory: Path) -> Path:
        return directory

    async def lose(self, directory: Path, position: int) -> None:
        async with self._client() as client:
            await client.jetstream().delete_msg(Names(log_name(directory)).intake(0), position)

    async def forget(self, directory: Path) -> None:
        async with self._client() as client:
            await client.jetstream().delete_stream(Names(log_name(directory)).intake(0))

    @asynccontextmanager
    async def _client(self) -> Any:
        client = await nats.connect(self.cluster.servers)
        try:
            yield client
        finally:
            await client.close()


class TestOneServer(JetstreamUnderTest):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _servers(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        with NatsCluster(tmp_path_factory.mktemp("nats")) as cls.cluster:
            yield


class TestThreeServers(JetstreamUnderTest):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _servers(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        with NatsCluster(tmp_path_factory.mktemp("nats"), 3) as cls.cluster:
            yield

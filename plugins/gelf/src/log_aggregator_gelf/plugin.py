"""The plugin: ports for GELF by UDP and TCP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import ConfigError, Record, Service, hookimpl
from log_aggregator.receivers import BadLogError, Connection, Datagram, ingest_when_possible
from log_aggregator_gelf.chunks import MAGIC, Chunks
from log_aggregator_gelf.records import record_of


class GelfConfig(BaseModel):
    """Options of the GELF receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    udp: str | None = Field(None, description="address and port for datagrams, such as 0.0.0.0:12201")
    tcp: str | None = Field(None, description="address and port for connections, such as 0.0.0.0:12201")
    allow: tuple[str, ...] = Field((), description="networks that may send, such as 10.0.0.0/8; empty: all")


class GelfReceiver:
    """Receives GELF. A sender gets no answer: what was on its way when it stopped is lost."""

    Config = GelfConfig
    api = ">=1,<2"

    def __init__(self, config: GelfConfig) -> None:
        if not (config.udp or config.tcp):
            raise ConfigError('udp, tcp: none is set; expected at least one, such as udp = "0.0.0.0:12201"')
        self._config = config
        self._chunks = Chunks()
        self._refused = 0

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Open the ports."""
        config = self._config

        async def datagrams(received: list[Datagram]) -> None:
            records = self._records(self._whole(received))
            if records:
                await ingest_when_possible(service, records)

        async def connection(opened: Connection) -> None:
            while frames := await opened.read_frames(b"\0", keep_last=True):
                records = self._records(frame.data for frame in frames if frame.data.strip())
                if records:
                    await ingest_when_possible(service, records)

        if config.udp is not None:
            service.listen_udp(config.udp, datagrams, allow=config.allow)
        if config.tcp is not None:
            service.listen_tcp(config.tcp, connection, allow=config.allow)
        service.add_stats("gelf", self.stats)
        yield

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows: messages that could not be read, and those whose chunks never were complete."""
        return {"refused": self._refused, "incomplete": self._chunks.dropped}

    def _whole(self, received: Iterable[Datagram]) -> Iterable[bytes]:
        now = time.monotonic()
        for one in received:
            data: bytes | None = one.data
            if one.data.startswith(MAGIC):
                data = self._chunks.add(one.data, one.peer, now)
            if data is not None:
                yield data

    def _records(self, messages: Iterable[bytes]) -> list[Record]:
        records = []
        for message in messages:
            try:
                records.append(record_of(message))
            except BadLogError:
                self._refused += 1
        return records

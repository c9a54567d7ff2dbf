"""The plugin: a route for GELF by HTTP, and ports for UDP and TCP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import ConfigError, Record, Service, hookimpl
from log_aggregator.http.receiving import ROUTE_PREFIX, HttpReceiver
from log_aggregator.receivers import BadLogError, Connection, Datagram, ingest_when_possible
from log_aggregator_gelf import over_http
from log_aggregator_gelf.chunks import MAGIC, Chunks
from log_aggregator_gelf.records import record_of


class GelfConfig(BaseModel):
    """Options of the GELF receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    http: str = Field("/gelf", pattern=ROUTE_PREFIX, description="path that takes messages; empty: none")
    udp: str | None = Field(None, description="address and port for datagrams, such as 0.0.0.0:12201")
    tcp: str | None = Field(None, description="address and port for connections, such as 0.0.0.0:12201")
    allow: tuple[str, ...] = Field((), description="networks that may send, such as 10.0.0.0/8; empty: all")


class GelfReceiver:
    """Receives GELF. By UDP and TCP a sender gets no answer: what was on its way when it stopped is lost."""

    Config = GelfConfig
    api = ">=1,<2"

    def __init__(self, config: GelfConfig) -> None:
        if not (config.http or config.udp or config.tcp):
            raise ConfigError('http, udp, tcp: none is set; expected at least one, such as udp = "0.0.0.0:12201"')
        self._config = config
        self._chunks = Chunks()
        self._refused = 0
        self._http: HttpReceiver | None = None

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the route and open the ports."""
        config = self._config
        if config.http:
            self._http = HttpReceiver(service)
            self._http.add_route("POST", config.http, over_http.PROTOCOL)

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
        """What `/stats` shows: messages that could not be read, those whose chunks never were complete, and HTTP's."""
        by_http = {"http": self._http.stats()} if self._http else {}
        return {"refused": self._refused, "incomplete": self._chunks.dropped, **by_http}

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

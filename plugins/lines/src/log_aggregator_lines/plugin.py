"""The plugin: ports that take a log a line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import ConfigError, Record, Service, hookimpl
from log_aggregator.receivers import (
    BadLogError,
    Connection,
    Datagram,
    SentFields,
    TlsOptions,
    ingest_when_possible,
    record_of_text,
)
from log_aggregator_lines.objects import objects_in


class LinesConfig(BaseModel):
    """Options of the lines receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tcp: str | None = Field(None, description="address and port, such as 0.0.0.0:5170")
    udp: str | None = Field(None, description="address and port for datagrams, such as 0.0.0.0:5170")
    tls: TlsOptions | None = Field(None, description="a TLS port: { listen, cert, key, client_ca }")
    source: str | None = Field(None, description="source of lines that name none; else the sender's address")
    allow: tuple[str, ...] = Field((), description="networks that may send, such as 10.0.0.0/8; empty: all")


class LinesReceiver:
    """Takes a log a line: JSON objects by the field table, everything else as the message. Blank lines are no logs."""

    Config = LinesConfig
    api = ">=1,<2"

    def __init__(self, config: LinesConfig) -> None:
        if not (config.tcp or config.udp or config.tls):
            raise ConfigError('tcp, udp, tls: none is set; expected at least one, such as tcp = "0.0.0.0:5170"')
        self._config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Open the ports."""
        config = self._config

        async def connection(opened: Connection) -> None:
            while frames := await opened.read_frames(keep_last=True):
                records = [record for frame in frames for record in self._records(frame.data, opened.peer)]
                if records:
                    await ingest_when_possible(service, records)

        async def datagrams(received: list[Datagram]) -> None:
            records = [
                record for one in received for line in one.data.split(b"\n") for record in self._records(line, one.peer)
            ]
            if records:
                await ingest_when_possible(service, records)

        if config.tcp is not None:
            service.listen_tcp(config.tcp, connection, allow=config.allow)
        if config.udp is not None:
            service.listen_udp(config.udp, datagrams, allow=config.allow)
        if config.tls is not None:
            service.listen_tcp(config.tls.listen, connection, tls=config.tls.tls(), allow=config.allow)
        yield

    def _records(self, line: bytes, peer: str) -> Iterator[Record]:
        defaults = SentFields(source=self._config.source or peer)
        for text in objects_in(line.decode("utf-8", "replace").strip("\r\0")):
            try:
                yield record_of_text(text, defaults=defaults)
            except BadLogError:
                continue

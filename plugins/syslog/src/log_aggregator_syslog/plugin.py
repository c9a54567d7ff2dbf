"""The plugin: ports for syslog by UDP, TCP and TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import ConfigError, Service, hookimpl
from log_aggregator.receivers import Connection, Datagram, TlsOptions, ingest_when_possible
from log_aggregator_syslog.framing import FrameError, Framer
from log_aggregator_syslog.records import Records

LINE_PAUSE = 0.05
"""Seconds that a message waits for a line that may belong to it."""


class SyslogConfig(BaseModel):
    """Options of the syslog receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    udp: str | None = Field(None, description="address and port for datagrams, such as 0.0.0.0:5514")
    tcp: str | None = Field(None, description="address and port for connections, such as 0.0.0.0:5514")
    tls: TlsOptions | None = Field(None, description="a TLS port: { listen, cert, key, client_ca }")
    allow: tuple[str, ...] = Field((), description="networks that may send, such as 10.0.0.0/8; empty: all")
    timezone: str | None = Field(None, description="zone of times without one, such as Europe/Berlin")
    unescape: bool = Field(True, description="turn rsyslog's #012 back into the control character that it was")
    max_message: int = Field(1_048_576, ge=480, le=16_777_216, description="bytes of a message that came by TCP")


class SyslogReceiver:
    """Receives RFC 5424 and RFC 3164. A sender gets no answer: what was on its way when it stopped is lost."""

    Config = SyslogConfig
    api = ">=1,<2"

    def __init__(self, config: SyslogConfig) -> None:
        if not (config.udp or config.tcp or config.tls):
            raise ConfigError('udp, tcp, tls: none is set; expected at least one, such as udp = "0.0.0.0:5514"')
        try:
            zone = ZoneInfo(config.timezone) if config.timezone else None
        except (ZoneInfoNotFoundError, ValueError):
            raise ConfigError(f"timezone: {config.timezone!r} is no zone; expected one such as Europe/Berlin") from None
        self._config = config
        self._records = Records(zone, unescape=config.unescape)
        self._broken = 0
        self._oversized = 0

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Open the ports."""
        config = self._config

        async def datagrams(received: list[Datagram]) -> None:
            records = self._records.of((one.data, one.peer) for one in received)
            if records:
                await service.ingest(records)

        async def connection(opened: Connection) -> None:
            await self._read(service, opened)

        if config.udp is not None:
            service.listen_udp(config.udp, datagrams, allow=config.allow)
        if config.tcp is not None:
            service.listen_tcp(config.tcp, connection, allow=config.allow)
        if config.tls is not None:
            service.listen_tcp(config.tls.listen, connection, tls=config.tls.tls(), allow=config.allow)
        service.add_stats("syslog", self.stats)
        yield

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows: messages without text, cut off by the end of a connection, and too large."""
        return {"empty": self._records.empty, "broken_off": self._broken, "too_large": self._oversized}

    async def _read(self, service: Service, opened: Connection) -> None:
        framer = Framer(self._config.max_message)
        try:
            while True:
                messages = await self._next(framer, opened)
                if messages is None:
                    return
                records = self._records.of((message, opened.peer) for message in messages)
                if records:
                    await ingest_when_possible(service, records)
        except FrameError:
            self._oversized += 1
        finally:
            self._broken += framer.broken

    async def _next(self, framer: Framer, opened: Connection) -> list[bytes] | None:
        """The messages that are whole now; `None` at the end."""
        try:
            async with asyncio.timeout(LINE_PAUSE if framer.pending else None):
                data = await opened.read(held=framer.held)
        except TimeoutError:
            return framer.release()
        if data:
            return framer.feed(data)
        return framer.finish() or None

"""The plugin: a port for Fluent Bit, Fluentd, Docker's `fluentd` driver and the libraries of these."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import ConfigError, Record, Reject, Service, hookimpl
from log_aggregator.receivers import BadLogError, Connection, Datagram, TlsOptions, ingest_when_possible
from log_aggregator_forward.decoding import Chunk, ProtocolError, chunk_of
from log_aggregator_forward.docker import Piece, Pieces
from log_aggregator_forward.handshake import Handshake
from log_aggregator_forward.messages import Messages
from log_aggregator_forward.records import record_of

HANDSHAKE_SECONDS = 10.0


class ForwardConfig(BaseModel):
    """Options of the Forward receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tcp: str | None = Field(None, description="address and port, such as 0.0.0.0:24224")
    tls: TlsOptions | None = Field(None, description="a TLS port: { listen, cert, key, client_ca }")
    shared_key: str | None = Field(None, min_length=1, description="the key that clients must know")
    allow: tuple[str, ...] = Field((), description="networks that may send, such as 10.0.0.0/8; empty: all")


class ForwardReceiver:
    """Receives all modes. A chunk is acknowledged once it is durable; one that comes again is counted once."""

    Config = ForwardConfig
    api = ">=1,<2"

    def __init__(self, config: ForwardConfig) -> None:
        if not (config.tcp or config.tls):
            raise ConfigError('tcp, tls: none is set; expected at least one, such as tcp = "0.0.0.0:24224"')
        self._config = config
        self._counts = {"refused": 0, "broken": 0, "wrong_keys": 0, "not_logs": 0}

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Open the ports."""
        config = self._config

        async def connection(opened: Connection) -> None:
            await self._serve(service, opened)

        async def heartbeats(_: list[Datagram]) -> None:
            """Old senders ask by UDP whether anybody is there; the answer of the port is enough."""

        if config.tcp is not None:
            listener = service.listen_tcp(config.tcp, connection, allow=config.allow)
            host, _, port = config.tcp.rpartition(":")
            service.listen_udp(f"{host}:{port if port != '0' else listener.port}", heartbeats, allow=config.allow)
        if config.tls is not None:
            service.listen_tcp(config.tls.listen, connection, tls=config.tls.tls(), allow=config.allow)
        service.add_stats("forward", lambda: dict(self._counts))
        yield

    async def _serve(self, service: Service, opened: Connection) -> None:
        messages = Messages(opened)
        pieces = Pieces()
        try:
            if self._config.shared_key is not None and not await self._shake_hands(messages):
                return
            async for message in messages.read():
                chunk = chunk_of(message)
                await self._accept(service, opened.peer, pieces, chunk)
                if chunk.chunk is not None:
                    await messages.write({"ack": chunk.chunk})
        except ProtocolError:
            self._counts["broken"] += 1
        rest = self._records(pieces.rest())
        if rest:
            await ingest_when_possible(service, rest)

    async def _shake_hands(self, messages: Messages) -> bool:
        assert self._config.shared_key is not None
        handshake = Handshake(self._config.shared_key)
        await messages.write(handshake.helo())
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                ping = await anext(messages.read(), None)
        except TimeoutError:
            return False
        pong, is_known = handshake.answer(ping)
        self._counts["wrong_keys"] += not is_known
        await messages.write(pong)
        return is_known

    async def _accept(self, service: Service, peer: str, pieces: Pieces, chunk: Chunk) -> None:
        records = self._records(self._joined(pieces, chunk))
        self._counts["not_logs"] += not chunk.is_logs
        if records:
            key = f"{peer}\0{chunk.tag}\0{chunk.chunk}" if chunk.chunk is not None else None
            try:
                await ingest_when_possible(service, records, key=key)
            except Reject:  # a guard refuses these records for good: the sender must not try for ever
                self._counts["refused"] += len(records)

    def _joined(self, pieces: Pieces, chunk: Chunk) -> Iterable[tuple[str, Any, Any]]:
        """The entries of a message with its tag; pieces of lines are joined, and those that are not whole wait."""
        if not any(type(sent) is dict and "partial_id" in sent for _, sent in chunk.entries):
            return [(chunk.tag, time, sent) for time, sent in chunk.entries]
        if chunk.chunk is not None:  # what is acknowledged is durable: no piece of it waits in memory
            pieces = Pieces()
        whole = [one for time, sent in chunk.entries for one in pieces.join(Piece(chunk.tag, time, sent))]
        return whole if chunk.chunk is None else whole + pieces.rest()

    def _records(self, whole: Iterable[tuple[str, Any, Any]]) -> list[Record]:
        records = []
        for one in whole:
            try:
                records.append(record_of(*one))
            except BadLogError:
                self._counts["refused"] += 1
        return records

"""Connections: which stay open, in which order they are answered, what waits, and what a reload does to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.tests.http.memory_backend import MemoryBackend
from log_aggregator.config.settings import Settings
from log_aggregator.http import listener as listening
from log_aggregator.http.app import build_app
from log_aggregator.http.backend import Receipt
from log_aggregator.http.listener import Listener
from log_aggregator.model.record import Record

DEADLINE = 120.0
LOG = b'{"message": "User 123 logged in"}'


class HeldBackend(MemoryBackend):
    """Takes nothing before `let_go` is set."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.let_go = asyncio.Event()
        self.holds = asyncio.Semaphore(0)  # one for each request that waits

    async def submit(self, records: list[Record], *, key: str | None, digest: bytes, size: int) -> Receipt:
        self.holds.release()
        await self.let_go.wait()
        return await super().submit(records, key=key, digest=digest, size=size)


@asynccontextmanager
async def listening_to(backend: MemoryBackend) -> AsyncIterator[Listener]:
    listener = Listener(build_app(backend), backend.settings)
    await listener.start()
    try:
        async with asyncio.timeout(DEADLINE):
            yield listener
    finally:
        await listener.stop()


class Client:
    """A connection that says exactly what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, body: bytes, path: str = "/ingest", version: str = "1.1", connection: str = "") -> None:
        said = f"Connection: {connection}\r\n" if connection else ""
        head = f"POST {path} HTTP/{version}\r\nHost: localhost\r\n{said}Content-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)

    async def answer(self) -> tuple[int, str | None, Any]:
        """Status, Connection header and body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, _, value in lines}
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head.split()[1]), headers.get("connection"), json.loads(body)

    async def is_closed(self) -> bool:
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def client_of(listener: Listener) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_each_connection_is_told_whether_it_stays() -> None:
    taken = {"accepted": 1}
    async with listening_to(MemoryBackend(Settings(port=0))) as listener:
        for _ in range(2):  # what one connection was told says nothing to the next
            for version, sent, told, stays in (
                ("1.1", "", None, True),
                ("1.1", "close", "close", False),
                ("1.0", "", "close", False),
                ("1.0", "keep-alive", "keep-alive", True),
            ):
                async with client_of(listener) as client:
                    for _ in range(2 if stays else 1):
                        client.send(LOG, version=version, connection=sent)
                        assert await client.answer() == (202, told, taken)
                    assert stays or await client.is_closed()


async def test_requests_sent_at_once_are_answered_in_order() -> None:
    async with listening_to(backend := HeldBackend(Settings(port=0))) as listener, client_of(listener) as client:
        client.send(LOG)
        client.send(b'{"logs": [{"message": "a"}, {"message": "b"}]}', "/ingest/batch")
        client.send(b" ")
        await backend.holds.acquire()
        backend.let_go.set()
        assert (await client.answer())[2] == {"accepted": 1}
        assert (await client.answer())[2] == {"accepted": 2, "rejected": []}
        assert (await client.answer())[0] == 400


async def test_a_large_body_that_had_to_wait_is_read_to_its_end() -> None:
    large = b'{"logs": [%b]}' % b",".join([b'{"message": "%b"}' % (b"x" * 8000)] * 500)
    async with listening_to(backend := HeldBackend(Settings(port=0))) as listener, client_of(listener) as client:
        client.send(LOG)
        await backend.holds.acquire()
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        client.send(large, "/ingest/batch")  # more than is kept of a body that nobody reads yet
        await asyncio.sleep(0.2)
        assert client.writer.transport.get_write_buffer_size() > 0
        backend.let_go.set()
        assert (await client.answer())[2] == {"accepted": 1}
        assert (await client.answer())[2] == {"accepted": 500, "rejected": []}
        client.send(LOG)
        assert (await client.answer())[2] == {"accepted": 1}


async def test_a_reload_lets_requests_finish_and_holds_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "FINISH_REQUESTS", 2 * DEADLINE)
    async with (
        listening_to(backend := HeldBackend(Settings(port=0))) as listener,
        client_of(listener) as under_way,
        client_of(listener) as later,
    ):
        under_way.send(LOG)
        await backend.holds.acquire()
        pausing = asyncio.create_task(listener.pause())
        await asyncio.sleep(0.05)
        assert not pausing.done()
        backend.let_go.set()
        await pausing
        assert await under_way.answer() == (202, None, {"accepted": 1})
        later.send(LOG)
        await asyncio.sleep(0.05)
        following = MemoryBackend(backend.settings)
        await listener.resume(build_app(following))
        assert await later.answer() == (202, None, {"accepted": 1})
        under_way.send(LOG)
        assert await under_way.answer() == (202, None, {"accepted": 1})
        assert (len(backend.records), len(following.records)) == (1, 2)


async def test_a_reload_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "FINISH_REQUESTS", 0.1)
    async with (
        listening_to(backend := HeldBackend(Settings(port=0))) as listener,
        client_of(listener) as client,
        client_of(listener) as other,
    ):
        client.send(LOG)
        await backend.holds.acquire()
        await listener.pause()
        assert await client.is_closed()
        following = MemoryBackend(backend.settings)
        await listener.resume(build_app(following))
        other.send(LOG)
        assert await other.answer() == (202, None, {"accepted": 1})
        assert not backend.records

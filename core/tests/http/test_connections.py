"""One client's connections cost the others nothing: a limit for each, idle ones that make room, and a write timeout."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import pytest
from aiohttp import web

from core.tests.http.memory_backend import MemoryBackend
from log_aggregator.config.settings import Settings
from log_aggregator.http import connection, connections
from log_aggregator.http.app import build_app
from log_aggregator.http.listener import Listener

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@asynccontextmanager
async def listening(backend: MemoryBackend) -> AsyncIterator[int]:
    listener = Listener(build_app(backend), backend.settings)
    await listener.start()
    opened = OPENED.set([])
    try:
        async with asyncio.timeout(60):
            yield listener.port
    finally:
        await listener.stop()
        for _, writer in OPENED.get():
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        OPENED.reset(opened)


OPENED: ContextVar[list[Stream]] = ContextVar("OPENED")


async def connect(port: int, source: str = "127.0.0.1") -> Stream:
    stream = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    OPENED.get().append(stream)
    return stream


async def status(stream: Stream, request: bytes = HEALTH) -> int:
    """The status of an answer; 0 when the connection is closed without one."""
    with contextlib.suppress(ConnectionError):
        stream[1].write(request)
        line = await stream[0].readline()
        return int(line.split()[1]) if line else 0
    return 0


async def test_a_client_has_a_limit_and_the_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE", 1e9)
    async with listening(MemoryBackend(Settings(port=0, max_connections_client=5))) as port:
        held = [await connect(port) for _ in range(5)]
        assert [await status(stream) for stream in held] == [200] * 5
        reader, _ = await connect(port)
        answer = (await reader.read()).decode()
        assert answer.startswith("HTTP/1.1 503")
        assert "MAX_CONNECTIONS_CLIENT" in answer
        assert await status(await connect(port, "127.0.0.2")) == 200
        held[0][1].close()
        await held[0][1].wait_closed()
        again = 0
        while again != 200:  # until the service has seen that one is gone
            again = await status(await connect(port))


async def test_idle_connections_make_room_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE", 1e-9)
    settings = Settings(port=0, max_connections=8, max_connections_client=6)
    async with listening(MemoryBackend(settings)) as port:
        idle = [await connect(port) for _ in range(6)]
        assert await status(idle[0]) == 200
        assert await status(await connect(port)) == 200
        assert await idle[1][0].read() == b"", "the one that has been idle for the longest is closed"
        others = [await connect(port, f"127.0.0.{number}") for number in range(2, 9)]
        assert [await status(stream) for stream in others] == [200] * 7, "at the limit of all, the greediest gives"


async def test_connections_of_trusted_proxies_have_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE", 1e9)
    settings = Settings(port=0, max_connections_client=2, trusted_proxies="127.0.0.2")
    async with listening(MemoryBackend(settings)) as port:
        held = [await connect(port, "127.0.0.2") for _ in range(10)]
        assert [await status(stream) for stream in held] == [200] * 10


async def test_a_request_under_way_is_not_closed_for_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE", 1e-9)
    began, let_go = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        began.set()
        await let_go.wait()
        return web.Response()

    backend = MemoryBackend(Settings(port=0, max_connections_client=1))
    backend.routes.append(("GET", "/slow", slow))
    async with listening(backend) as port:
        busy = await connect(port)
        waiting = asyncio.create_task(status(busy, HEALTH.replace(b"/health", b"/slow")))
        await began.wait()
        reader, _ = await connect(port)
        assert (await reader.read()).startswith(b"HTTP/1.1 503")
        let_go.set()
        assert await waiting == 200


@pytest.mark.serial
async def test_who_takes_nothing_of_an_answer_is_cut_off_and_a_slow_reader_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "WRITE_TIMEOUT", 0.3)
    size = 32 * 1024 * 1024

    async def large(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * size, content_type="application/octet-stream")

    backend = MemoryBackend(Settings(port=0))
    backend.routes.append(("GET", "/large", large))
    request = b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with listening(backend) as port:
        loop = asyncio.get_running_loop()
        deaf, slow = (socket.create_connection(("127.0.0.1", port)) for _ in range(2))
        for one in (deaf, slow):
            one.setblocking(False)
            await loop.sock_sendall(one, request)
        taken = 0
        while some := await loop.sock_recv(slow, 1024 * 1024):
            taken += len(some)
            await asyncio.sleep(0.02)  # reads for longer than WRITE_TIMEOUT, a little at a time
        assert taken > size
        got = 0
        with contextlib.suppress(ConnectionError):
            while some := await loop.sock_recv(deaf, 1024 * 1024):
                got += len(some)
        assert got < size
        for one in (deaf, slow):
            one.close()

"""A connection pooler in transaction mode, as PgBouncer is one: each transaction on another server connection."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

from tests.servers.link import SSL_REQUEST


class Backend:
    """One connection to the server, logged in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer


class _Client:
    """A client, the server connection that it holds now, and the one that it held before."""

    def __init__(self, before: Backend, writer: asyncio.StreamWriter) -> None:
        self.before = before
        self.writer = writer
        self.backend: Backend | None = None


class TransactionPooler:
    """Listens on a free port; clients log in with their own password, then share all server connections.

    After every `ReadyForQuery` outside a transaction the client lets go of its server connection, and takes
    the one that has waited longest for what it sends next: so it nearly never gets the same one twice.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = 0
        self.switches = 0
        self._idle: asyncio.Queue[Backend] = asyncio.Queue()
        self._all: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> TransactionPooler:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._all:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._all.append(writer)
        with contextlib.suppress(OSError, EOFError):
            await self._serve(reader, writer)
        writer.transport.abort()
        self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(await self._log_in(reader, writer), writer)
        self._idle.put_nowait(client.before)
        answering: asyncio.Task[None] | None = None
        try:
            while True:
                kind, message = await _read(reader)
                if kind == b"X":
                    return
                if client.backend is None:
                    client.backend = await self._idle.get()
                    self.switches += client.backend is not client.before
                    answering = asyncio.create_task(self._answer(client, client.backend))
                client.backend.writer.write(message)
        finally:
            if answering is not None:
                answering.cancel()
                await asyncio.gather(answering, return_exceptions=True)

    async def _log_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Backend:
        startup = await reader.readexactly(8)
        if startup == SSL_REQUEST:
            writer.write(b"N")
            startup = await reader.readexactly(8)
        startup += await reader.readexactly(int.from_bytes(startup[:4], "big") - 8)
        backend = Backend(*await asyncio.open_connection(*self.target))
        self._all.append(backend.writer)
        backend.writer.write(startup)
        while True:
            kind, message = await _read(backend.reader)
            writer.write(message)
            if kind == b"Z":
                return backend
            if kind == b"R" and int.from_bytes(message[5:9], "big") in (10, 11):
                backend.writer.write((await _read(reader))[1])

    async def _answer(self, client: _Client, backend: Backend) -> None:
        """Pass answers on until the server connection is outside of a transaction; then let go of it."""
        while True:
            kind, message = await _read(backend.reader)
            if kind == b"Z" and message[5:6] == b"I":
                client.before, client.backend = backend, None
                self._idle.put_nowait(backend)
                client.writer.write(message)
                return
            client.writer.write(message)


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(int.from_bytes(head[1:], "big") - 4)

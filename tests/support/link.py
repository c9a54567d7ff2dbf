"""A TCP link between a client and a server that can be cut at any byte, slowed down, or swallow everything."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self

_CHUNK = 65536
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""What a client of PostgreSQL sends first when it wants TLS."""

Watch = Callable[[str, bytes], int | None]
"""Sees each chunk and its direction (`up`: to the server); returns how many bytes pass before the cut."""


class Link:
    """Listens on a free port of 127.0.0.1 and passes bytes on to `target`.

    `watch` may cut at a byte; `delay` (seconds) holds each chunk back; with `black_hole` set, bytes are
    taken and never passed on, as by a firewall that drops packets. With `tls`, the link speaks TLS to
    clients of PostgreSQL that ask for it, in front of a server that cannot.
    """

    def __init__(self, target: tuple[str, int], tls: ssl.SSLContext | None = None) -> None:
        self.target = target
        self.tls = tls
        self.port = 0
        self.watch: Watch | None = None
        self.delay = 0.0
        self.black_hole = False
        self.cuts = 0
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def cut(self) -> None:
        """Cut every connection now, without a word to either side."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self.tls is not None:
                await self._upgrade(reader, writer, self.tls)
            up_reader, up_writer = await asyncio.open_connection(*self.target)
        except (OSError, EOFError):
            writer.transport.abort()
            return
        pair = (writer, up_writer)
        self._writers.update(pair)
        tasks = [
            asyncio.create_task(self._pass_on("up", reader, up_writer, pair)),
            asyncio.create_task(self._pass_on("down", up_reader, writer, pair)),
        ]
        self._tasks.update(tasks)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for end in pair:
            end.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._writers.difference_update(pair)
        self._tasks.difference_update(tasks)

    async def _upgrade(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: ssl.SSLContext) -> None:
        request = await reader.readexactly(8)
        assert request == SSL_REQUEST, "the client did not ask for TLS"
        writer.write(b"S")
        await writer.drain()
        await writer.start_tls(tls)

    async def _pass_on(
        self,
        direction: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if self.black_hole:
                    continue
                passed = self.watch(direction, data) if self.watch is not None else None
                writer.write(data if passed is None else data[:passed])
                if passed is not None:
                    self.cuts += 1
                    with contextlib.suppress(OSError):
                        await writer.drain()
                    # Closing sends what is written; aborting the other side hides it from the sender.
                    writer.close()
                    (pair[0] if writer is pair[1] else pair[1]).transport.abort()
                    return
                await writer.drain()

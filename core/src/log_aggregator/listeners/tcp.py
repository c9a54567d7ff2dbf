"""A TCP port: takes connections within its limits and calls the plugin's handler for each."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from log_aggregator.listeners.addresses import Endpoint, plain
from log_aggregator.listeners.connection import Connection, FrameTooLargeError, SlowSenderError
from log_aggregator.listeners.limits import Connections, Limits, Memory
from log_aggregator.listeners.listener import Describe, Listener, finish, type_of
from log_aggregator.listeners.tls import HANDSHAKE_TIMEOUT, ReloadingTls, Tls

NO_ROOM_PAUSE = 1.0
"""Seconds without new connections after the system has refused one, for want of file descriptors mostly."""

KEEPALIVE = ((socket.TCP_KEEPIDLE, 120), (socket.TCP_KEEPINTVL, 30), (socket.TCP_KEEPCNT, 4))
"""Seconds, seconds and probes after which a silent peer that is no more is found out: silence alone is no fault."""

ConnectionHandler = Callable[[Connection], Awaitable[None]]

log = logging.getLogger(__name__)


class TcpListener(Listener):
    """Listens on a bound socket, which is its own from now on."""

    def __init__(
        self,
        plugin: str,
        endpoint: Endpoint,
        bound: socket.socket,
        handler: ConnectionHandler,
        limits: Limits,
        memory: Memory,
        tls: Tls | None = None,
        describe: Describe = type_of,
    ) -> None:
        """Raises `ValueError` when the files of `tls` cannot be used."""
        self._tls = ReloadingTls(tls) if tls is not None else None
        super().__init__(plugin, "tls" if tls else "tcp", endpoint, bound.getsockname()[1], describe)
        self._socket = bound
        self._handler = handler
        self._limits = limits
        self._memory = memory
        self._connections = Connections(limits)
        self._open: set[Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._own: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Take connections from now on; those that came before have waited."""
        self._own.add(asyncio.create_task(self._accept(), name=f"accept {self.name}"))
        if self._tls is not None:
            self._own.add(asyncio.create_task(self._tls.run(), name=f"certificates {self.name}"))

    async def stop(self) -> None:
        """Take no more connections, and let handlers take in the frames that are here."""
        await finish(self._own, at_once=True)
        self._socket.close()
        for connection in self._open:
            connection.stop_reading()
        await finish(self._serving)

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows."""
        return {"connections": self._connections.open, **super().stats()}

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                taken, address = await loop.sock_accept(self._socket)
            except OSError as error:
                reason = error.strerror or str(error)
                log.warning("cannot take a connection: it waits", extra={"listener": self.name, "error": reason})
                await asyncio.sleep(NO_ROOM_PAUSE)
                continue
            peer = plain(str(address[0]))
            refusal = self._connections.why_not(peer)
            if refusal:
                self.note_refusal(refusal)
                taken.close()
                continue
            self._connections.enter(peer)
            self.counts["accepted"] += 1
            task = asyncio.create_task(self._serve(taken, peer), name=f"connection {self.name}")
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _serve(self, taken: socket.socket, peer: str) -> None:
        connection = Connection(peer, self._limits, self._memory)
        try:
            if await self._connect(connection, taken):
                self._open.add(connection)
                await self._handle(connection)
        finally:
            self._open.discard(connection)
            self._connections.leave(peer)
            await connection.close()

    async def _connect(self, connection: Connection, taken: socket.socket) -> bool:
        context = self._tls.context if self._tls is not None else None
        timeout = HANDSHAKE_TIMEOUT if context is not None else None
        try:
            taken.setblocking(False)
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in KEEPALIVE:
                taken.setsockopt(socket.IPPROTO_TCP, option, value)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection, taken, ssl=context, ssl_handshake_timeout=timeout
            )
        except OSError:  # also what ssl raises: no TLS, no certificate of ours, too slow, gone
            self.counts["failed_handshakes"] += context is not None
            taken.close()
            return False
        return True

    async def _handle(self, connection: Connection) -> None:
        try:
            await self._handler(connection)
        except SlowSenderError:
            self.note_refusal("slow")
        except FrameTooLargeError:
            self.note_refusal("size")
        except ConnectionError:
            self.counts["lost"] += 1
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything; others are served
            self.note_failure(error)

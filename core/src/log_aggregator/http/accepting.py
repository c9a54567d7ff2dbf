"""Takes connections from the socket that all workers share, so that each worker has as many as the others.

The event loop's own way is to take all that wait: of 16 connections opened at once, the worker that wakes first
would get nearly all of them, keep them, and do all the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable

from log_aggregator.http.sharing import ABSENT, Turns
from log_aggregator.http.tls import HANDSHAKE

AT_ONCE = 64
"""Connections taken before the loop looks after those that are open."""

LOOKS = 50
"""How often a worker looks, between its other work, whether a connection that it leaves to another one still waits."""

LOOK_AGAIN = 0.002
"""Seconds between looks after that."""

NO_ROOM_PAUSE = 1.0
"""Seconds without new connections after the system has refused one, for want of file descriptors mostly."""

log = logging.getLogger(__name__)

Lost = Callable[[asyncio.Protocol], None]
"""To be called by a connection when it is lost."""


class Acceptor:
    """Takes connections from a listening socket, one when it is this worker's turn."""

    def __init__(
        self,
        listening: socket.socket,
        turns: Turns,
        connection: Callable[[Lost], asyncio.Protocol],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.tls = tls
        self._listening, self._turns, self._connection = listening, turns, connection
        self._loop = asyncio.get_running_loop()
        self._open: set[asyncio.Protocol] = set()
        self._handed_over: set[asyncio.Task[None]] = set()
        self._looks = 0
        self._later: asyncio.TimerHandle | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to take connections."""
        self._listening.setblocking(False)
        self._turns.have(0)
        self._loop.add_reader(self._listening, self._ready)

    def stop(self) -> None:
        """Take no more connections; those that are open go on."""
        if self._closed:
            return
        self._closed = True
        self._turns.have(ABSENT)
        if self._later is not None:
            self._later.cancel()
        self._loop.remove_reader(self._listening)
        self._listening.close()

    async def close(self) -> None:
        """Take no more connections, and give up those that are not quite open."""
        self.stop()
        for task in self._handed_over:
            task.cancel()
        await asyncio.gather(*self._handed_over, return_exceptions=True)

    def _ready(self) -> None:
        if not self._turns.mine():
            self._looks += 1
            if self._looks > LOOKS:
                self._pause(LOOK_AGAIN)
            return
        self._looks = 0
        for _ in range(AT_ONCE):
            try:
                taken, _address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):  # another worker had it, or it is gone
                return
            except OSError as error:
                log.warning("cannot take a connection: it waits", extra={"error": error.strerror or str(error)})
                self._pause(NO_ROOM_PAUSE)
                return
            self._hand_over(taken)
            if not self._turns.mine():
                return

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listening)
        self._later = self._loop.call_later(seconds, self._loop.add_reader, self._listening, self._ready)

    def _hand_over(self, taken: socket.socket) -> None:
        connection = self._connection(self._lost)
        self._open.add(connection)
        self._turns.have(len(self._open))
        task = self._loop.create_task(self._connect(connection, taken), name="connection")
        self._handed_over.add(task)
        task.add_done_callback(self._handed_over.discard)

    async def _connect(self, connection: asyncio.Protocol, taken: socket.socket) -> None:
        try:
            taken.setblocking(False)
            limit = HANDSHAKE if self.tls is not None else None
            await self._loop.connect_accepted_socket(
                lambda: connection, taken, ssl=self.tls, ssl_handshake_timeout=limit
            )
        except OSError:  # the other side has gone in the meantime, or does not speak TLS as we do
            self._lost(connection)
            with contextlib.suppress(OSError):
                taken.close()

    def _lost(self, connection: asyncio.Protocol) -> None:
        self._open.discard(connection)
        if not self._closed:
            self._turns.lost()
            self._turns.have(len(self._open))

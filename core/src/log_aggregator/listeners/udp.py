"""A UDP port: receives datagrams and gives them to the plugin's handler, many at once."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from log_aggregator.errors import OverloadedError
from log_aggregator.listeners.addresses import Endpoint, plain
from log_aggregator.listeners.limits import Limits
from log_aggregator.listeners.listener import Describe, Listener, finish, type_of

AT_ONCE = 1000
"""Datagrams that the handler is given in one call at most."""

WAITING = 10_000
"""Datagrams, and `WAITING_BYTES` bytes, that wait for the handler; then the system's buffer holds the next ones."""

WAITING_BYTES = 16 * 1024 * 1024
PER_TURN = 256
LARGEST = 65_535

_SO_RXQ_OVFL = 40  # Linux: with each datagram comes how many were lost before it, for want of room


class Datagram(NamedTuple):
    """One datagram and the address of its sender."""

    data: bytes
    peer: str


DatagramHandler = Callable[[list[Datagram]], Awaitable[None]]


class UdpListener(Listener):
    """Receives on a bound socket, which is its own from now on.

    The handler is called again with the same datagrams when it raises `OverloadedError`.
    """

    def __init__(
        self,
        plugin: str,
        endpoint: Endpoint,
        bound: socket.socket,
        handler: DatagramHandler,
        limits: Limits,
        describe: Describe = type_of,
    ) -> None:
        super().__init__(plugin, "udp", endpoint, bound.getsockname()[1], describe)
        self._socket = bound
        self._handler = handler
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Datagram] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._is_reading = False
        self._handling: set[asyncio.Task[None]] = set()
        self._space = bytearray(LARGEST)
        self._view = memoryview(self._space)
        with contextlib.suppress(OSError):
            bound.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)

    def start(self) -> None:
        """Receive from now on."""
        self._handling.add(asyncio.create_task(self._handle_all(), name=f"datagrams {self.name}"))
        self._read_on()

    async def stop(self) -> None:
        """Receive what is here already, and no more; let the handler take it in."""
        if self._handling:
            self._receive(WAITING)
        self._pause()
        self._socket.close()
        if self._handling:
            self._idle.clear()
            self._arrived.set()
            await finish({asyncio.create_task(self._idle.wait(), name=f"end {self.name}")})
        await finish(self._handling, at_once=True)
        self.counts["dropped"] += len(self._waiting)
        self._waiting.clear()

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows: `lost` are datagrams for which the system had no room."""
        return {"waiting": len(self._waiting), **super().stats()}

    def _read_on(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            self._loop.add_reader(self._socket, self._ready)

    def _pause(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._socket)

    def _ready(self) -> None:
        self._receive(PER_TURN)
        self._arrived.set()

    def _receive(self, most: int) -> None:
        for _ in range(most):
            if len(self._waiting) >= WAITING or self._bytes >= WAITING_BYTES:
                self._pause()
                break
            try:
                size, ancillary, _flags, address = self._socket.recvmsg_into([self._space], 64)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:  # such as an ICMP error for something that was never sent from here
                continue
            if ancillary:
                self._note_lost(ancillary)
            self._keep(size, plain(str(address[0])))

    def _keep(self, size: int, peer: str) -> None:
        if not self._limits.allows(peer):
            self.note_refusal("address")
        elif size > self._limits.frame_bytes:
            self.note_refusal("size")
        else:
            self._waiting.append(Datagram(bytes(self._view[:size]), peer))
            self._bytes += size
            self.counts["received"] += 1

    def _note_lost(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _SO_RXQ_OVFL):
                self.counts["lost"] = struct.unpack("I", data[:4])[0]

    async def _handle_all(self) -> None:
        while True:
            if not self._waiting:
                self._arrived.clear()
                self._idle.set()
                await self._arrived.wait()
                continue
            self._idle.clear()
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            self._bytes -= sum([len(datagram.data) for datagram in batch])
            if self._socket.fileno() >= 0:
                self._read_on()
            await self._handle(batch)

    async def _handle(self, batch: list[Datagram]) -> None:
        while True:
            try:
                await self._handler(batch)
            except OverloadedError as error:
                await asyncio.sleep(error.retry_after)
            except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything; the next are received
                self.note_failure(error)
                self.counts["dropped"] += len(batch)
                return
            else:
                return

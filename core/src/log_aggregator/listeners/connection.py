"""One TCP connection as a handler sees it: frames within limits of size and time, and back-pressure."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple, cast

from log_aggregator.listeners.limits import Limits, Memory

HIGH = 64 * 1024
"""Bytes that wait for the handler beyond which nothing more is received, but for a frame that is larger."""

WRITE_TIMEOUT = 30.0
"""Seconds that a peer may take to read what was written to it."""

CLOSE_TIMEOUT = 2.0
"""Seconds for the last bytes of a connection that is closed."""


class SlowSenderError(Exception):
    """A frame was begun and not finished in time. The connection is closed."""


class FrameTooLargeError(Exception):
    """A frame that cannot be cut is larger than it may be. The connection is closed."""


class Frame(NamedTuple):
    """The bytes of a frame, and how many it had: more than are here when it was cut."""

    data: bytes
    size: int

    @property
    def is_cut(self) -> bool:
        """Whether bytes are missing at the end."""
        return self.size > len(self.data)


class Connection(asyncio.Protocol):
    """A connection. Frames are read one after the other; nothing is received while the handler is busy."""

    def __init__(self, peer: str, limits: Limits, memory: Memory) -> None:
        self.peer = peer
        self._limits = limits
        self._memory = memory
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._arrived: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._closed = asyncio.Event()
        self._held = False
        self._stopped = False
        self._ended = False
        self._received = self._kept = self._given = 0
        self._whole_by: float | None = None
        self._writable.set()

    @property
    def certificate(self) -> dict[str, Any] | None:
        """The client's certificate, as `ssl.SSLSocket.getpeercert` has it; `None` without one."""
        return self._transport.get_extra_info("peercert") if self._transport is not None else None

    async def read(self, most: int = HIGH, *, held: int = 0) -> bytes:
        """What has come, at least a byte and at most so many; empty at the end.

        `held`: bytes that were read and are kept by the caller, of a frame that is not whole. They count as those of
        this connection: the frame must be whole in time, and may not grow while memory is scarce.
        Raises `FrameTooLargeError` and `SlowSenderError`.
        """
        self._hold_frame(held)
        while not self._buffer and await self._more(self._whole_by):
            pass
        data = self._take(min(most, len(self._buffer)))
        self._given = len(data)
        return data

    def _hold_frame(self, size: int) -> None:
        if not size or size < self._kept + self._given:  # a frame has ended, and perhaps another begun
            self._whole_by = None
        if size and self._whole_by is None:
            self._whole_by = asyncio.get_running_loop().time() + self._limits.frame_seconds
        self._memory.used += size - self._kept
        self._kept, self._given = size, 0
        if size > HIGH and self._memory.is_scarce:
            raise FrameTooLargeError("too many large frames at once")

    async def peek(self, size: int = 1) -> bytes:
        """The next bytes without taking them; fewer than asked for at the end. Raises `SlowSenderError`."""
        await self._fill(size)
        return bytes(self._buffer[:size])

    async def read_exactly(self, size: int) -> bytes | None:
        """A frame of known size; `None` at the end, where a frame that broke off is none.

        Raises `FrameTooLargeError` and `SlowSenderError`.
        """
        if size > self._limits.frame_bytes:
            raise FrameTooLargeError(f"{size} bytes")
        if not await self._fill(size):
            return None
        return self._take(size)

    async def read_until(self, separator: bytes = b"\n", *, keep_last: bool = False) -> Frame | None:
        """A frame without its separator; `None` at the end.

        A frame beyond the limit is cut. What follows the last separator is a frame only with `keep_last`, and when
        the client closed the connection. Raises `SlowSenderError`.
        """
        start = 0
        deadline: float | None = None
        while (at := self._buffer.find(separator, start)) < 0:
            if len(self._buffer) > self._limits.frame_bytes or self._is_starved:
                return await self._cut(separator)
            start = max(0, len(self._buffer) - len(separator) + 1)
            deadline = deadline or self._deadline()
            if not await self._more(deadline):
                rest = self._take(len(self._buffer))
                return Frame(rest, len(rest)) if rest and keep_last and not self._stopped else None
        data = self._take(at)
        self._take(len(separator))
        return Frame(data[: self._limits.frame_bytes], len(data))

    async def read_frames(self, separator: bytes = b"\n", *, most: int = 1000, keep_last: bool = False) -> list[Frame]:
        """The next frame, as by `read_until`, and those behind it that are here already; empty at the end."""
        first = await self.read_until(separator, keep_last=keep_last)
        if first is None:
            return []
        frames = [first]
        whole = bytes(self._buffer[: self._buffer.rfind(separator) + 1])
        if whole and len(separator) == 1:
            pieces = whole.split(separator, most)
            self._take(len(whole) - len(pieces[-1]))
            frames += [Frame(piece[: self._limits.frame_bytes], len(piece)) for piece in pieces[:-1]]
        return frames

    async def write(self, data: bytes) -> None:
        """Send bytes; returns when there is room for more. Raises `ConnectionError`, also when the peer reads none."""
        if self._transport is None or self._closed.is_set():
            raise ConnectionResetError("the connection is closed")
        self._transport.write(data)
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                await self._writable.wait()
        except TimeoutError:
            raise ConnectionAbortedError("the peer reads nothing") from None

    def stop_reading(self) -> None:
        """Receive no more. Frames that are here already can still be read."""
        self._stopped = self._ended = True
        if not self._held and not self._closed.is_set():
            self._hold()
        self._wake()

    async def close(self) -> None:
        """Send what was written and close."""
        self._memory.used -= len(self._buffer) + self._kept
        self._kept = 0
        self._buffer.clear()
        if self._transport is None:
            return
        self._transport.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._closed.wait()
        except TimeoutError:
            self._transport.abort()

    async def _cut(self, separator: bytes) -> Frame | None:
        """The beginning of a frame that is too large; the rest is thrown away up to its separator."""
        data = self._take(min(len(self._buffer), self._limits.frame_bytes))
        size, deadline = len(data), self._deadline()
        while (at := self._buffer.find(separator)) < 0:
            keep = min(len(self._buffer), len(separator) - 1)
            size += len(self._take(len(self._buffer) - keep))
            if not await self._more(deadline):
                return None
        size += len(self._take(at))
        self._take(len(separator))
        return Frame(data, size)

    async def _fill(self, size: int) -> bool:
        """Wait for so many bytes; whether they came before the end."""
        deadline: float | None = None
        while len(self._buffer) < size:
            if self._is_starved:
                raise FrameTooLargeError("too many large frames at once")
            deadline = deadline or self._deadline()
            if not await self._more(deadline):
                return False
        return True

    def _deadline(self) -> float | None:
        """When a frame of which something has come must be whole. A client may be silent between frames."""
        return asyncio.get_running_loop().time() + self._limits.frame_seconds if self._buffer else None

    @property
    def _is_starved(self) -> bool:
        return len(self._buffer) > HIGH and self._memory.is_scarce

    async def _more(self, deadline: float | None = None) -> bool:
        """Wait until something comes; `False` at the end. Raises `SlowSenderError` after the deadline."""
        if self._ended:
            return False
        if self._held and self._transport is not None:
            self._held = False
            self._transport.resume_reading()
        before = self._received
        self._arrived = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout_at(deadline):
                await self._arrived
        except TimeoutError:
            raise SlowSenderError from None
        finally:
            self._arrived = None
        return self._received > before

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._memory.used -= size
        return data

    def _hold(self) -> None:
        self._held = True
        if self._transport is not None:
            self._transport.pause_reading()

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's do not inherit from it
        if self._stopped:
            self._hold()

    def data_received(self, data: bytes) -> None:
        """Keep bytes for the handler; receive no more while it has enough to do."""
        self._buffer += data
        self._received += len(data)
        self._memory.used += len(data)
        if len(self._buffer) > HIGH and not self._held:
            self._hold()
        self._wake()

    def eof_received(self) -> bool:
        """Note the end; answers may still be sent."""
        self._ended = True
        self._wake()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nothing can be sent any more."""
        self._ended = True
        self._closed.set()
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        """The peer reads too slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._writable.set()

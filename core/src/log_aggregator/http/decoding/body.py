"""How a request's body is received: how much, how fast, how long, and how much at once from all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError, TransferEncodingError

from log_aggregator.config.settings import Settings
from log_aggregator.http.problem import Problem, busy

GRACE = 5.0
"""Seconds before the minimum rate is asked for: a connection needs time to get going."""

BODIES_AT_ONCE = 2
"""How many of the largest decompressed bodies may be in memory at once, over all requests."""


class Room:
    """The memory that bodies on their way may take, over all requests. Small ones do not count.

    Safe for threads: large bodies are decompressed in one.
    """

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Reserve bytes. Raises `Problem` 503 when they are not to be had."""
        with self._lock:
            if size <= self._left:
                self._left -= size
                return
        raise busy(503, "too many large bodies at once: try again later, or send smaller batches", 1.0, close=True)

    def give_back(self, size: int) -> None:
        """Free what was reserved."""
        with self._lock:
            self._left += size


class BodyReader:
    """Receives bodies within the limits of the settings."""

    def __init__(self, settings: Settings) -> None:
        self.room = Room(BODIES_AT_ONCE * settings.max_decompressed_bytes)
        self._most = settings.max_body_bytes
        self._timeout = settings.body_timeout
        self._rate = settings.body_min_rate

    def check_length(self, request: web.Request) -> None:
        """Refuse a body by the length that it announces. Raises `Problem` 413."""
        length = request.content_length
        if length is not None and length > self._most:
            raise self._too_large(f"the body has {length} bytes")

    def read_nowait(self, request: web.Request) -> bytes | None:
        """The body as sent when all of it has come, as small ones do; else `None`. Raises `Problem` 400."""
        content = request.content
        if not content.is_eof() or content.total_bytes > self._most:
            return None
        try:
            return content.read_nowait()
        except (web.RequestPayloadError, TransferEncodingError, PayloadEncodingError) as error:
            raise _broken(error) from None

    async def read(self, request: web.Request) -> bytes:
        """The body as sent. Raises `Problem`: 400 broken off, 408 too slow, 413 too large, 503 no room."""
        self.check_length(request)
        parts: list[bytes] = []
        size = 0
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout_at(began + min(self._timeout, GRACE)) as limit:
                while part := await request.content.readany():
                    self.room.take(len(part))
                    size += len(part)
                    parts.append(part)
                    if size > self._most:
                        raise self._too_large("the body is larger")
                    limit.reschedule(began + self._deadline(size))
        except TimeoutError:
            raise self._too_slow(size) from None
        except (web.RequestPayloadError, TransferEncodingError, PayloadEncodingError, ConnectionError) as error:
            raise _broken(error) from None
        finally:
            self.room.give_back(size)
        return b"".join(parts)

    async def pieces(self, request: web.Request) -> AsyncIterator[bytes]:
        """The body as it comes, of any length. Raises `Problem`: 400 broken off, 408 nothing came for too long."""
        try:
            while True:
                async with asyncio.timeout(self._timeout):
                    piece = await request.content.readany()
                if not piece:
                    return
                yield piece
        except TimeoutError:
            rule = f"expected more within {self._timeout:g} s"
            raise Problem(408, f"the body came too slowly; {rule}", close=True) from None
        except (web.RequestPayloadError, TransferEncodingError, PayloadEncodingError, ConnectionError) as error:
            raise _broken(error) from None

    def _deadline(self, size: int) -> float:
        """When, after the start, the next bytes must be there for `size` bytes not to be too few."""
        if not self._rate:
            return self._timeout
        return min(self._timeout, max(GRACE, size / self._rate))

    def _too_slow(self, size: int) -> Problem:
        rule = f"{self._rate} bytes a second after {GRACE:g} s, and {self._timeout:g} s in all"
        return Problem(408, f"the body came too slowly ({size} bytes so far); expected {rule}", close=True)

    def _too_large(self, what: str) -> Problem:
        return Problem(413, f"{what}; expected at most {self._most} bytes as sent: send smaller batches", close=True)


def _broken(error: Exception) -> Problem:
    reason = str(error).partition("\n")[0] or "the connection ended"
    return Problem(400, f"the body broke off: {reason}", close=True)

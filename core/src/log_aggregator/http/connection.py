"""One connection: what is not HTTP, a client that does not read, and one connection too many."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aiohttp import web

from log_aggregator.http.accepting import Lost
from log_aggregator.http.connections import Connections
from log_aggregator.http.duplicates import may_repeat, without_duplicates
from log_aggregator.http.problem import Problem, busy

WRITE_TIMEOUT = 20.0
"""Seconds after which a connection is closed that takes nothing of its answer."""


class Connection(web.RequestHandler):
    """One connection. What is not HTTP is answered as a problem, and not with a traceback in our log."""

    __slots__ = ("_held", "_held_up", "_lost", "_peer", "_rests_since", "_unread", "_write_timer")

    def __init__(self, *args: Any, held: Connections, lost: Lost | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._held = held
        self._held_up = False
        self._lost = lost
        self._peer = ""
        self._rests_since: float | None = None
        self._unread = 0
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or refuse a connection of a client that has too many."""
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else ""
        if not self._held.admit(self, self._peer):
            lost = self._lost
            refusal = Refusal(lambda _: lost(self) if lost is not None else None, Refusal.CLIENT)
            transport.set_protocol(refusal)
            refusal.connection_made(transport)
            return
        self.rests()
        super().connection_made(transport)

    def works(self) -> None:
        """A request is under way."""
        self._rests_since = None

    def rests(self) -> None:
        """No request is under way any more."""
        self._rests_since = self._loop.time()

    @property
    def idle(self) -> float:
        """Seconds without a request under way; 0 while there is one, or an answer is not yet read."""
        transport = self.transport
        if self._rests_since is None or transport is None or transport.get_write_buffer_size():
            return 0.0
        return self._loop.time() - self._rests_since

    def connection_lost(self, exc: BaseException | None) -> None:
        """Clean up, and tell who counts the connections."""
        self._held.left(self, self._peer)
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().connection_lost(exc)
        if self._lost is not None:
            self._lost(self)

    def pause_writing(self) -> None:
        """The client reads too slowly: wait, but not for one that takes nothing at all."""
        super().pause_writing()
        assert self.transport is not None
        self._unread = self.transport.get_write_buffer_size()
        self._write_timer = self._loop.call_later(WRITE_TIMEOUT, self._look_at_reader)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _look_at_reader(self) -> None:
        transport = self.transport
        if transport is None:
            return
        left = transport.get_write_buffer_size()
        if left >= self._unread:
            transport.abort()
            return
        self._unread = left
        self._write_timer = self._loop.call_later(WRITE_TIMEOUT, self._look_at_reader)

    def data_received(self, data: bytes) -> None:
        """Read what has come; a header that an agent sent twice does not cost it its logs."""
        super().data_received(without_duplicates(data) if may_repeat(data) else data)

    def pause_reading(self) -> None:
        """Read no more until `resume_reading`: what has come of a body waits to be taken."""
        self._held_up = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading after `pause_reading`.

        aiohttp calls this twice for each body, paused or not; then it costs as much as decoding a log.
        """
        if self._held_up:
            self._held_up = False
            super().resume_reading(resume_parser)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what the HTTP parser refused or a handler let through."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        reason = (message or "").strip().partition("\n")[0][:200].rstrip(":")
        return Problem(status, f"not a valid HTTP request: {reason or 'malformed'}", close=True).response()


class Refusal(asyncio.Protocol):
    """One connection too many: answered 503 before it sends anything, and closed."""

    ALL = busy(503, "too many open connections: try again later", 1.0).body()
    CLIENT = busy(503, "too many open connections of this client (MAX_CONNECTIONS_CLIENT)", 1.0).body()

    def __init__(self, lost: Lost | None = None, answer: bytes = ALL) -> None:
        self._lost = lost
        self._answer = answer

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who counts the connections."""
        if self._lost is not None:
            self._lost(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer and close."""
        transport = cast("asyncio.WriteTransport", transport)  # uvloop's transports do not inherit from it
        head = (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n"
            f"Connection: close\r\nContent-Length: {len(self._answer)}\r\n\r\n"
        )
        transport.write(head.encode() + self._answer)
        transport.close()

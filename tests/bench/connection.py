"""The client's side of HTTP as far as a load generator needs it: bytes out, the bytes of the answer back."""

from __future__ import annotations

import asyncio
from typing import Any


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: Any = None

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """Send; the whole answer. Raises `ConnectionError` when the server closes before it is there."""
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            self._answer.set_exception(ConnectionError("the server has closed the connection"))
        else:
            self._transport.write(request)
        return self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or len(self._buffer) < end + 4 + int(header(self._buffer[: end + 2], b"content-length") or 0):
            return
        answer, self._buffer = self._buffer, b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the server has closed the connection"))


def header(answer: bytes, name: bytes) -> bytes:
    """The value of a header of an answer, or nothing; the name in lower case."""
    head = answer.partition(b"\r\n\r\n")[0].lower() + b"\r\n"
    at = head.find(b"\r\n" + name + b":")
    return head[at + len(name) + 3 : head.index(b"\r\n", at + 2)].strip() if at >= 0 else b""

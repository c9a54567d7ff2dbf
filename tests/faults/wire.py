"""HTTP spoken by hand: bytes over a socket, so that a request can be wrong in any way."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

DEADLINE = 30.0
"""Seconds until an answer must be there: no bad request may hang."""


class Answer(NamedTuple):
    """An answer as received. `status` 0: the connection was closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


NO_ANSWER = Answer(0, {}, b"")


def post(path: str, body: bytes | str, *headers: str, length: int | None = None) -> bytes:
    """A POST with a Content-Length, JSON unless a Content-Type is among the headers."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(data) if length is None else length}"]
    if not any(header.lower().startswith("content-type:") for header in headers):
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, *headers, "", ""]).encode() + data


def one(body: bytes | str, *headers: str, **more: Any) -> bytes:
    """A POST of one log."""
    return post("/ingest", body, *headers, **more)


def batch(body: bytes | str, *headers: str, **more: Any) -> bytes:
    """A POST of several logs."""
    return post("/ingest/batch", body, *headers, **more)


def get(target: str, *headers: str) -> bytes:
    """A GET."""
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


async def ask(port: int, request: bytes, *, half_close: bool = False) -> Answer:
    """Send a request on a connection of its own and read the answer. Raises `TimeoutError`."""
    async with asyncio.timeout(DEADLINE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            try:
                await writer.drain()
                if half_close:
                    writer.write_eof()
                return await read_answer(reader)
            except ConnectionError:
                return await _rest(reader)
        finally:
            await leave(writer)


async def leave(writer: asyncio.StreamWriter) -> None:
    """Close a connection, also one on which something is left to send that nobody reads."""
    writer.close()
    try:
        async with asyncio.timeout(1):
            await writer.wait_closed()
    except (TimeoutError, OSError):
        writer.transport.abort()
        await asyncio.sleep(0)


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """The next final answer on a connection; `NO_ANSWER` when it ends first."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return NO_ANSWER
    start, *lines = head.decode("latin-1").split("\r\n")
    status = int(start.split(" ")[1])
    if status == 100:
        return await read_answer(reader)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    return Answer(status, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


async def _rest(reader: asyncio.StreamReader) -> Answer:
    """What was answered before the other side closed while we were still sending."""
    try:
        return await read_answer(reader)
    except (ConnectionError, asyncio.IncompleteReadError):
        return NO_ANSWER

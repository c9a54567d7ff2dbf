"""Sends given bodies once each, as fast as answers come, over keep-alive connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

PAUSE = 0.05
"""Seconds until a refused body (503) is sent again."""


class Sent(NamedTuple):
    """What sending took: seconds of each request in no order, and how often the service asked to wait."""

    latencies: list[float]
    refusals: int


def send(url: str, bodies: Sequence[bytes], connections: int) -> Sent:
    """POST every body until it is accepted. Raises `RuntimeError` for an answer but 2xx and 503."""
    return asyncio.run(_send(url, bodies, connections))


async def _send(url: str, bodies: Sequence[bytes], connections: int) -> Sent:
    waiting = iter(bodies)
    done = await asyncio.gather(*(_client(url, waiting) for _ in range(min(connections, len(bodies)))))
    return Sent([latency for one in done for latency in one.latencies], sum(one.refusals for one in done))


async def _client(url: str, waiting: Iterator[bytes]) -> Sent:
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
    latencies: list[float] = []
    refusals = 0
    for body in waiting:
        request = head.encode() + str(len(body)).encode() + b"\r\n\r\n" + body
        began = time.perf_counter()
        while not await _accepted(reader, writer, request):
            refusals += 1
            await asyncio.sleep(PAUSE)
        latencies.append(time.perf_counter() - began)
    writer.close()
    await writer.wait_closed()
    return Sent(latencies, refusals)


async def _accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bool:
    writer.write(request)
    async with asyncio.timeout(120):
        answer = await reader.readuntil(b"\r\n\r\n")
        lower = answer.lower()
        at = lower.index(b"content-length:") + 15
        text = await reader.readexactly(int(lower[at : lower.index(b"\r\n", at)]))
    status = int(answer.split(b" ", 2)[1])
    if status // 100 != 2 and status != 503:
        raise RuntimeError(f"the service answered {status}: {text[:300]!r}")
    return status != 503

"""A load generator that costs little: prepared requests over keep-alive connections, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import time
from multiprocessing import get_context
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Load(NamedTuple):
    """What one run sends. `rate` (requests a second, 0: as fast as answers come) is for latency."""

    url: str
    bodies: list[bytes]
    connections: int
    seconds: float
    content_type: str = "application/json"
    rate: float = 0.0


class Outcome(NamedTuple):
    """What came of it; latencies in milliseconds."""

    requests: int
    failed: int
    seconds: float
    p50: float
    p99: float


def run(load: Load, core: int | None = None) -> Outcome:
    """Send from a process of its own, pinned to `core`."""
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(load, core, sender))
    process.start()
    sender.close()  # so that a generator that dies is an EOFError here, not a wait for ever
    try:
        if not receiver.poll(load.seconds + 120):
            raise TimeoutError("the load generator did not finish")
        outcome: Outcome = receiver.recv()
    finally:
        process.kill()
        process.join(30)
    return outcome


def _main(load: Load, core: int | None, sender: Any) -> None:
    if core is not None:
        os.sched_setaffinity(0, {core})
    sender.send(asyncio.run(_send(load)))


async def _send(load: Load) -> Outcome:
    parts = urlsplit(load.url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: {load.content_type}\r\nContent-Length: "
    ).encode()
    requests = [head + str(len(body)).encode() + b"\r\n\r\n" + body for body in load.bodies]
    deadline = time.perf_counter() + load.seconds
    began = time.perf_counter()
    clients = [
        _client(
            parts.hostname or "", parts.port or 80, requests[number :: load.connections] or requests, deadline, load
        )
        for number in range(load.connections)
    ]
    results = await asyncio.gather(*clients)
    took = time.perf_counter() - began
    latencies = sorted(latency for result in results for latency in result[0])
    return Outcome(
        len(latencies),
        sum(result[1] for result in results),
        took,
        _quantile(latencies, 0.50) * 1000,
        _quantile(latencies, 0.99) * 1000,
    )


async def _client(host: str, port: int, requests: list[bytes], deadline: float, load: Load) -> tuple[list[float], int]:
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
    latencies, failed, index = [], 0, 0
    pause = load.connections / load.rate if load.rate else 0.0
    due = time.perf_counter() + pause * (id(writer) % 97) / 97
    while time.perf_counter() < deadline:
        if pause:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        began = due if pause else time.perf_counter()
        due += pause
        writer.write(requests[index % len(requests)])
        index += 1
        answer = await reader.readuntil(b"\r\n\r\n")
        lower = answer.lower()
        at = lower.index(b"content-length:") + 15
        await reader.readexactly(int(lower[at : lower.index(b"\r\n", at)]))
        failed += not answer.startswith(b"HTTP/1.1 20")
        latencies.append(time.perf_counter() - began)
    writer.close()
    return latencies, failed


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

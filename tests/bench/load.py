"""A load generator that costs little: prepared requests over keep-alive connections, in a process of its own."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from array import array
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import uvloop

from tests.bench.connection import Connection, header

PATIENCE = 120.0
"""Seconds beyond the load's own after which a generator that says nothing is given up."""

BUSY = (b" 429 ", b" 503 ")


class Load(NamedTuple):
    """What one run sends, for `seconds`, or until `requests` (0: no such end) were taken, whichever comes first.

    `rate` (requests a second, 0: as fast as answers come) is for latency. With `anew` the digits of all messages
    are drawn again for each request, so that no line with digits in it is ever sent twice.
    With `requests`, a body that is refused for now (429, 503) is sent again after `Retry-After`.
    Whoever listens is told every `tell_every` seconds how far it is; on a slow machine the load goes on until it was
    told `tells` times of answers.
    """

    url: str
    bodies: list[bytes]
    connections: int
    seconds: float
    content_type: str = "application/json"
    rate: float = 0.0
    requests: int = 0
    anew: bool = False
    tell_every: float = 0.5
    tells: int = 0


class Outcome(NamedTuple):
    """What came of it; latencies in milliseconds, of the requests that were taken.

    `accepted` adds up what the answers say; `cpu` is what the generator used while it sent, in seconds.
    """

    requests: int
    failed: int
    seconds: float
    p50: float
    p99: float
    p999: float
    accepted: int
    cpu: float


class Told(NamedTuple):
    """How far a load is after `seconds`: totals since its begin, and `latencies`, in seconds, since it was told last.

    `latencies` are of the requests that were taken, in the order of their answers; `cpu` is the generator's own.
    """

    seconds: float
    requests: int
    failed: int
    accepted: int
    cpu: float
    latencies: array[float]

    def latency_ms(self, share: float) -> float:
        """The latency within which this share of the requests since last time was answered; 0 without any."""
        return quantile(sorted(self.latencies), share) * 1000


class Answer(msgspec.Struct):
    """The part of an answer that is looked at."""

    accepted: int = 0


def run(load: Load, cores: int | set[int] | None = None, tell: Callable[[Told], None] | None = None) -> Outcome:
    """Send from a process of its own, pinned to `cores`; `tell` hears now and then how far it is.

    Raises `RuntimeError` when the generator dies or says nothing for too long.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    pinned = {cores} if isinstance(cores, int) else cores
    process = context.Process(target=_main, args=(load, pinned, sender), daemon=True)
    process.start()
    sender.close()  # so that a generator that dies is an EOFError here, not a wait for ever
    deadline = time.monotonic() + load.seconds + PATIENCE
    try:
        while receiver.poll(max(0.0, deadline - time.monotonic())):
            told: Told | Outcome = receiver.recv()
            if isinstance(told, Outcome):
                return told
            if tell is not None:
                tell(told)
        raise RuntimeError("the load generator did not finish")
    except EOFError:
        raise RuntimeError("the load generator died; its error is above") from None
    finally:
        process.kill()
        process.join(30)


def _main(load: Load, cores: set[int] | None, sender: Any) -> None:
    if cores is not None:
        os.sched_setaffinity(0, cores)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sender.send(runner.run(_Generator(load).run(sender.send)))


class _Generator:
    """All connections of one run and what they have counted."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._parts = urlsplit(load.url)
        head = (
            f"POST {self._parts.path} HTTP/1.1\r\nHost: {self._parts.netloc}\r\nContent-Type: {load.content_type}\r\n"
        )
        requests = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in load.bodies]
        self._requests = _redraw(requests) if load.anew else itertools.cycle(requests)
        self._latencies = array("d")  # eight bytes each: half an hour's fit into a few MB
        self._begun = self._failed = self._accepted = self._told = 0
        self._deadline = 0.0

    async def run(self, tell: Callable[[Told], None]) -> Outcome:
        load, loop = self._load, asyncio.get_running_loop()
        host, port = self._parts.hostname or "", self._parts.port or 80
        made = [await loop.create_connection(Connection, host, port) for _ in range(load.connections)]
        used, began = time.process_time(), time.perf_counter()
        self._deadline = began + load.seconds
        telling = asyncio.create_task(self._tell(tell, began, used))
        try:
            async with asyncio.TaskGroup() as group:
                for number, (_, connection) in enumerate(made):
                    group.create_task(self._client(connection, began, number))
        finally:
            telling.cancel()
        took, cpu = time.perf_counter() - began, time.process_time() - used
        for transport, _ in made:
            transport.close()
        ordered = sorted(self._latencies)
        p50, p99, p999 = (quantile(ordered, share) * 1000 for share in (0.5, 0.99, 0.999))
        return Outcome(len(ordered), self._failed, took, p50, p99, p999, self._accepted, cpu)

    async def _tell(self, tell: Callable[[Told], None], began: float, used: float) -> None:
        told = 0
        while True:
            await asyncio.sleep(self._load.tell_every)
            latencies = self._latencies[told:]
            told += len(latencies)
            took, cpu = time.perf_counter() - began, time.process_time() - used
            self._told += bool(latencies)
            tell(Told(took, told, self._failed, self._accepted, cpu, latencies))

    async def _client(self, connection: Connection, began: float, number: int) -> None:
        load = self._load
        pause = load.connections / load.rate if load.rate else 0.0
        due = began + pause * number / load.connections
        while not (load.requests and self._begun >= load.requests):
            if pause:
                # Measured from when it was due: a request that waits for the one before it has waited.
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sent = due if pause else time.perf_counter()
            due += pause
            if sent >= self._deadline and self._told >= load.tells:
                return
            self._begun += 1
            await self._send(connection, next(self._requests), sent)

    async def _send(self, connection: Connection, request: bytes, sent: float) -> None:
        """One request; with an end by number it is sent until it is taken."""
        while True:
            answer = await connection.ask(request)
            if answer.startswith(b"HTTP/1.1 20"):
                self._latencies.append(time.perf_counter() - sent)
                self._accepted += msgspec.json.decode(answer[answer.index(b"\r\n\r\n") + 4 :], type=Answer).accepted
                return
            self._failed += 1
            busy = answer[8:13] in BUSY
            if not (self._load.requests and busy and time.perf_counter() < self._deadline):
                return
            await asyncio.sleep(float(header(answer, b"retry-after") or 1))


def _redraw(requests: list[bytes]) -> Iterator[bytes]:
    from tests.bench.redraw import Redraw  # it needs numpy, which takes a while to import

    return iter(Redraw(requests))


def quantile(ordered: list[float], share: float) -> float:
    """The figure below which this share of an ascending list is; 0 of an empty one."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

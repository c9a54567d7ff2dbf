"""A UDP port: datagrams in batches, back-pressure, and a handler that fails or is told to wait."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from core.tests.listeners.made import HERE, until
from log_aggregator.errors import OverloadedError
from log_aggregator.listeners import Datagram, Limits, UdpListener
from log_aggregator.listeners.addresses import networks
from log_aggregator.plugins.isolation.where_raised import where_raised

Handler = Callable[[list[Datagram]], Awaitable[None]]


@asynccontextmanager
async def receiving(handler: Handler, limits: Limits | None = None) -> AsyncIterator[UdpListener]:
    bound = HERE.bind(socket.SOCK_DGRAM, is_shared=False)
    describe = partial(where_raised, package=__name__.partition(".")[0])
    listener = UdpListener("made", HERE, bound, handler, limits or Limits(), describe)
    listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


def send(port: int, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in datagrams:
            sender.sendto(data, ("127.0.0.1", port))


class Kept:
    def __init__(self) -> None:
        self.batches: list[list[Datagram]] = []

    @property
    def data(self) -> list[bytes]:
        return [datagram.data for batch in self.batches for datagram in batch]

    async def __call__(self, datagrams: list[Datagram]) -> None:
        self.batches.append(datagrams)


async def test_datagrams_come_with_their_sender_in_order() -> None:
    kept = Kept()
    async with receiving(kept) as listener:
        send(listener.port, b"one", b"", b"x" * 60_000, b"\xff\x00")
        await until(lambda: len(kept.data) == 4)
        assert kept.data == [b"one", b"", b"x" * 60_000, b"\xff\x00"]
        assert {datagram.peer for batch in kept.batches for datagram in batch} == {"127.0.0.1"}
        assert listener.stats()["received"] == 4


async def test_what_arrives_while_the_handler_works_comes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("log_aggregator.listeners.udp.AT_ONCE", 50)
    kept, gate = Kept(), asyncio.Event()

    async def handler(datagrams: list[Datagram]) -> None:
        await gate.wait()
        await kept(datagrams)

    async with receiving(handler) as listener:
        send(listener.port, b"first")
        await until(lambda: listener.counts["received"] == 1)
        send(listener.port, *[b"%d" % number for number in range(120)])
        await until(lambda: listener.counts["received"] == 121)
        gate.set()
        await until(lambda: len(kept.data) == 121)
    assert [len(batch) for batch in kept.batches[1:]] == [50, 50, 20]


async def test_a_handler_that_is_behind_leaves_datagrams_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("log_aggregator.listeners.udp.WAITING", 10)
    kept, gate = Kept(), asyncio.Event()

    async def handler(datagrams: list[Datagram]) -> None:
        await gate.wait()
        await kept(datagrams)

    async with receiving(handler) as listener:
        send(listener.port, *[b"%d" % number for number in range(60)])
        await until(lambda: listener.stats()["waiting"] == 10)
        for _ in range(5):
            await asyncio.sleep(0)
        assert listener.counts["received"] <= 20
        gate.set()
        await until(lambda: len(kept.data) == 60)
    assert kept.data == [b"%d" % number for number in range(60)]


async def test_what_the_system_had_no_room_for_is_counted() -> None:
    kept, gate = Kept(), asyncio.Event()

    async def handler(datagrams: list[Datagram]) -> None:
        await gate.wait()
        await kept(datagrams)

    bound = HERE.bind(socket.SOCK_DGRAM, is_shared=False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener = UdpListener("made", HERE, bound, handler, Limits())
    send(listener.port, *[b"x" * 1000] * 100)  # before anything is received
    listener.start()
    gate.set()
    await until(lambda: kept.data)
    send(listener.port, b"after")  # the count comes with the next datagram
    await until(lambda: b"after" in kept.data)
    assert listener.counts["lost"] == 101 - len(kept.data) > 0
    await listener.stop()


async def test_an_overloaded_service_is_asked_again_with_the_same_datagrams() -> None:
    kept, refusals = Kept(), 2

    async def handler(datagrams: list[Datagram]) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise OverloadedError("full", retry_after=0.001)
        await kept(datagrams)

    async with receiving(handler) as listener:
        send(listener.port, b"kept")
        await until(lambda: kept.data == [b"kept"])
        assert listener.counts["errors"] == 0


async def test_a_handler_that_raises_costs_its_datagrams_and_is_named() -> None:
    kept = Kept()

    async def handler(datagrams: list[Datagram]) -> None:
        if datagrams[0].data == b"hunter2":
            raise KeyError(datagrams[0].data)
        await kept(datagrams)

    async with receiving(handler) as listener:
        send(listener.port, b"hunter2")
        await until(lambda: listener.counts["errors"] == 1)
        send(listener.port, b"fine")
        await until(lambda: kept.data == [b"fine"])
        assert listener.counts["dropped"] == 1
        complaint = str(await listener.complaint())
        assert "KeyError at core/tests/listeners/test_udp.py:" in complaint
        assert "hunter2" not in complaint


async def test_only_allowed_addresses_are_received() -> None:
    kept = Kept()
    async with receiving(kept, Limits(allow=networks(["10.0.0.0/8"]))) as listener:
        send(listener.port, b"no")
        await until(lambda: listener.counts["refused_address"] == 1)
    assert kept.data == []


async def test_stopping_takes_in_what_has_arrived() -> None:
    kept, gate = Kept(), asyncio.Event()

    async def handler(datagrams: list[Datagram]) -> None:
        await gate.wait()
        await kept(datagrams)

    async with receiving(handler) as listener:
        send(listener.port, b"a")
        await until(lambda: listener.counts["received"] == 1)
        send(listener.port, b"b", b"c")
        asyncio.get_running_loop().call_later(0.02, gate.set)
    assert kept.data == [b"a", b"b", b"c"]

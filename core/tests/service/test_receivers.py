"""Plugins that take logs in: tasks, listeners, positions, keys and state, in a real service with a real journal."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.tests.listeners.made import send, until
from core.tests.made import PlainRegistry, Store, make_plugin
from log_aggregator import ConfigError, Record, hookspecs
from log_aggregator.config.place import Place
from log_aggregator.config.settings import Settings
from log_aggregator.errors import OverloadedError
from log_aggregator.receivers import AutomaticKey, Connection, Datagram, Listener, ingest_when_possible
from log_aggregator.service.service import Service

Start = Callable[..., Service]
Make = Callable[..., Record]


class Receiver:
    """Calls `setup` in its lifespan."""

    def __init__(self, setup: Callable[[hookspecs.Service], None] = lambda service: None) -> None:
        self._setup = setup
        self.service: Any = None

    @asynccontextmanager
    async def lifespan(self, service: hookspecs.Service) -> AsyncIterator[None]:
        self.service = service
        self._setup(service)
        yield


class LinesOverTcp:
    """As a plugin would be written: each line is a record, taken in before the next is read."""

    def __init__(self) -> None:
        self.listener: Listener

    @asynccontextmanager
    async def lifespan(self, service: hookspecs.Service) -> AsyncIterator[None]:
        async def handle(connection: Connection) -> None:
            while (frame := await connection.read_until()) is not None:
                await ingest_when_possible(service, [Record.of(frame.data, source=connection.peer)])

        self.listener = service.listen_tcp("127.0.0.1:0", handle)
        yield


async def test_lines_over_tcp_are_logs_and_seen_in_stats(start: Start, store: Store) -> None:
    plugin = LinesOverTcp()
    async with start(plugin) as service:
        await send(plugin.listener.port, b"one\n", b"\xff two\n")
        await until(lambda: service.runtime.accumulators.tally.logs == 2)
        stats = (await service.stats())["receivers"]
        assert stats[f"other0 tcp 127.0.0.1:{plugin.listener.port}"]["accepted"] == 1
    assert dict(store.counts) == {"one": 1, "\ufffd two": 1}


async def test_what_was_received_is_taken_in_before_the_drain(start: Start, store: Store) -> None:
    plugin = LinesOverTcp()
    async with start(plugin) as service:
        _, writer = await asyncio.open_connection("127.0.0.1", plugin.listener.port)
        writer.write(b"line\n" * 200 + b"broken off")
        await until(lambda: service.runtime.accumulators.tally.logs)
    assert store.total == 200
    with pytest.raises(OSError, match=r"Connect call failed|refused"):
        await asyncio.open_connection("127.0.0.1", plugin.listener.port)
    writer.close()


async def test_datagrams_are_logs(start: Start, store: Store) -> None:
    listeners = []

    def setup(service: hookspecs.Service) -> None:
        async def handle(datagrams: list[Datagram]) -> None:
            await service.ingest([Record.of(datagram.data) for datagram in datagrams])

        listeners.append(service.listen_udp("127.0.0.1:0", handle))

    async with start(Receiver(setup)) as service:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(50):
                sender.sendto(b"datagram", ("127.0.0.1", listeners[0].port))
        await until(lambda: service.runtime.accumulators.tally.logs == 50)
    assert store.counts == {"datagram": 50}


async def test_a_task_starts_when_logs_may_be_accepted_and_ends_before_the_drain(start: Start, store: Store) -> None:
    seen: list[tuple[str, bool]] = []
    services: list[Service] = []

    def setup(plugin: hookspecs.Service) -> None:
        async def read() -> None:
            seen.append(("begins", services[0].runtime.ingester._opened.is_set()))
            try:
                await plugin.ingest([Record.of("from the task")])
                await asyncio.Event().wait()
            finally:
                seen.append(("ends", services[0].runtime.aggregator.queued >= 0 and not store.total))

        plugin.run("read", read)

    service = start(Receiver(setup), batch_size=10_000)
    services.append(service)
    async with service:
        await until(lambda: service.runtime.accumulators.tally.logs == 1)
    assert seen == [("begins", True), ("ends", True)]
    assert store.counts == {"from the task": 1}


async def test_a_task_that_fails_is_named_in_health(start: Start) -> None:
    async def broken() -> None:
        raise KeyError("hunter2")

    async with start(Receiver(lambda service: service.run("tail", broken))) as service:
        await until(lambda: service.receivers._parts[0].last_error)
        check = (await service.health()).checks["other0: tail"]
    assert not check["ok"]
    assert "KeyError at core/tests/service/test_receivers.py:" in check["detail"]
    assert "hunter2" not in check["detail"]


async def test_a_reader_goes_on_where_the_journal_says(start: Start, store: Store) -> None:
    """A file of ten lines, read in three starts, each of which ends somewhere in between."""
    lines = [f"line {number}" for number in range(10)]
    for _ in range(3):
        reader = Receiver()
        async with start(reader):
            at = int(reader.service.position("file") or b"0")
            for number, line in enumerate(lines[at : at + 4], at + 1):
                receipt = await reader.service.ingest([Record.of(line)], position=("file", b"%d" % number))
                assert (receipt.accepted, reader.service.position("file")) == (1, b"%d" % number)
    assert store.total == 10
    assert reader.service.position("other") is None


async def test_positions_keys_and_state_belong_to_their_plugin(start: Start, store: Store) -> None:
    one, two = Receiver(), Receiver()
    async with start(one, two):
        for plugin in (one, two):
            receipt = await plugin.service.ingest([Record.of("m")], key="chunk", position=("file", b"1"))
            assert not receipt.duplicate
        again = await one.service.ingest([Record.of("m, with another time of receipt")], key="chunk")
        assert (again.duplicate, again.accepted) == (True, 1)
        await one.service.ingest([], position=("file", b"2"))
        assert (one.service.position("file"), two.service.position("file")) == (b"2", b"1")
        await one.service.state("s").save(b"mine")
        assert await two.service.state("s").load() is None
    async with start(one, two):
        assert await one.service.state("s").load() == b"mine"
        assert (await two.service.ingest([Record.of("m")], key="chunk")).duplicate
    assert store.total == 2


async def test_the_same_body_again_is_a_duplicate_of_its_sender(start: Start, store: Store) -> None:
    plugin = Receiver()
    async with start(plugin):
        keys = [AutomaticKey("a", "/loki", b"body"), AutomaticKey("b", "/loki", b"body")]
        keys += [AutomaticKey("a", "/loki", b"other"), AutomaticKey("a", "/loki", b"body")]
        duplicates = [(await plugin.service.ingest([Record.of("m")], key=key)).duplicate for key in keys]
    assert duplicates == [False, False, False, True]
    assert store.total == 3


@pytest.mark.parametrize("position", [("", b"1"), ("x" * 1001, b"1"), ("file", b"x" * 65_537)])
async def test_a_position_that_cannot_be_kept_is_refused(start: Start, position: tuple[str, bytes]) -> None:
    plugin = Receiver()
    async with start(plugin):
        with pytest.raises(ValueError, match=r"position: expected a name of 1 to 1000 characters and at most 65536 by"):
            await plugin.service.ingest([Record.of("m")], position=position)


@pytest.mark.parametrize(
    ("address", "options", "said"),
    [
        ("example.com:5514", {}, "'example.com:5514': expected an address and a port such as"),
        ("127.0.0.1:0", {"allow": ["10.0.0.0/99"]}, "127.0.0.1:0: allow: '10.0.0.0/99': expected an address or a net"),
        ("192.0.2.1:5514", {}, "192.0.2.1:5514: cannot listen: this machine has no such address"),
    ],
)
async def test_an_address_that_cannot_be_had_stops_the_start(
    start: Start, address: str, options: dict[str, Any], said: str
) -> None:
    async def handler(_: Any) -> None:
        """Never called."""

    for listen in ("listen_tcp", "listen_udp"):
        with pytest.raises(ConfigError) as caught:
            async with start(Receiver(lambda service: getattr(service, listen)(address, handler, **options))):  # noqa: B023
                pass
        assert said in str(caught.value)


async def test_a_start_that_fails_gives_the_port_back(start: Start) -> None:
    ports = []

    class Broken(LinesOverTcp):
        @asynccontextmanager
        async def lifespan(self, service: hookspecs.Service) -> AsyncIterator[None]:
            async with super().lifespan(service):
                ports.append(self.listener.port)
                raise ConfigError("no")
                yield

    with pytest.raises(ConfigError, match="no"):
        async with start(Broken()):
            pass
    with socket.create_server(("127.0.0.1", ports[0])):
        pass


async def test_a_worker_that_only_drains_takes_nothing_in(tmp_path: Path, store: Store) -> None:
    ran = []

    async def read() -> None:
        ran.append(True)

    plugin = LinesOverTcp()
    registry = PlainRegistry(
        make_plugin(plugin, "lines"),
        make_plugin(Receiver(lambda service: service.run("read", read)), "reader"),
        make_plugin(store, "store"),
    )
    async with Service(Settings(data_dir=tmp_path), registry, Place(0, 1, -1)):  # type: ignore[arg-type]  # a part of it
        assert plugin.listener.port == 0
    assert ran == []


async def test_a_sender_that_can_wait_waits(record: Make) -> None:
    answers: list[Any] = [OverloadedError("full", retry_after=0.001)] * 3 + ["receipt"]
    asked = []

    class Busy:
        async def ingest(self, records: list[Record], **more: Any) -> Any:
            asked.append((records, more))
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    records = [record()]
    busy: Any = Busy()
    assert await ingest_when_possible(busy, records, key="k", position=("p", b"1")) == "receipt"
    assert asked == [(records, {"key": "k", "position": ("p", b"1")})] * 4

"""Receivers with two workers: a port that they share, and a plugin of which the node has one instance."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.crashing import counted
from tests.support.service import ServiceProcess

CONNECTIONS = 30
"""At once. Which worker takes one is the kernel's choice, so there are more until both took some."""

DEADLINE = 120.0

PLUGINS = """
import asyncio, os
from contextlib import asynccontextmanager
from pydantic import BaseModel, ConfigDict
from log_aggregator import Record, hookimpl
from log_aggregator.receivers import ingest_when_possible


class Lines:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        address: str

    def __init__(self, config):
        self.config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service):
        async def lines(connection):
            while (frame := await connection.read_until()) is not None:
                await ingest_when_possible(service, [Record.of(frame.data, source=f"tcp-{os.getpid()}")])

        async def datagrams(received):
            await service.ingest([Record.of(one.data, source=f"udp-{os.getpid()}") for one in received])

        service.listen_tcp(self.config.address, lines)
        service.listen_udp(self.config.address, datagrams)
        yield


class Once:
    instances = "node"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, config):
        pass

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service):
        async def read():
            at = int(service.position("counter") or b"0") + 1
            await service.ingest([Record.of(f"start {at}", source="once")], position=("counter", b"%d" % at))

        service.run("read", read)
        yield
"""


@pytest.fixture
def reserved() -> Iterator[int]:
    """A port that nobody else is given meanwhile, and that those may have who share it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def test_two_workers_share_a_port_and_a_node_has_one_reader(
    start_service: Callable[..., ServiceProcess], tmp_path: Path, reserved: int
) -> None:
    site = tmp_path / "site"
    info = site / "made-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "made_receivers.py").write_text(PLUGINS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[log_aggregator.plugins]\nmade-lines = made_receivers:Lines\nonce = made_receivers:Once\n"
    )
    pipeline = f"[plugins.made-lines]\naddress = '127.0.0.1:{reserved}'\n[plugins.once]\n[plugins.sqlite]\n"
    service = start_service(pipeline, {"WORKERS": "2", "PYTHONPATH": str(site)})
    made = 0
    by_kind: dict[str, list[int]] = {"tcp": [], "udp": []}
    deadline = time.monotonic() + DEADLINE
    while (len(by_kind["tcp"]), len(by_kind["udp"])) != (2, 2):
        assert time.monotonic() < deadline, f"both workers take some; by worker: {by_kind}"
        send(reserved, CONNECTIONS)
        made += CONNECTIONS
        while service.get("/stats")["logs"]["accepted"] < 3 * made + 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        service.post("/flush")
        counts = counted(service)
        by_kind = {kind: [n for one, n in counts.items() if one.startswith(kind)] for kind in ("tcp", "udp", "once")}
        assert {kind: sum(numbers) for kind, numbers in by_kind.items()} == {"tcp": 2 * made, "udp": made, "once": 1}
    receivers = service.get("/stats")["receivers"]
    assert receivers[f"made-lines tcp 127.0.0.1:{reserved}"]["accepted"] == made
    assert service.get("/health")["status"] == "healthy"


def send(port: int, times: int) -> None:
    """Two lines over a connection of its own and a datagram, so many times."""
    for number in range(times):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"line %d\nline\n" % number)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"datagram %d" % number, ("127.0.0.1", port))

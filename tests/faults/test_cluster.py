"""Three services on three nats-servers and one PostgreSQL, while parts of it are killed, stopped and wiped: exact."""

from __future__ import annotations

import asyncio
import collections
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.members import Members, Senders, check_exact, wait_until_listening
from tests.support.nats import NatsCluster, needs_nats, until
from tests.support.postgres import PostgresServer

pytestmark = [needs_nats, pytest.mark.slow]

EVENTS = {"member": 4, "node": 4, "zombie": 2, "two nodes": 1, "postgres": 2, "disk": 2}
"""What happens, and how often one against the other."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer().start()
    try:
        yield server
    finally:
        server.remove()


class Chaos:
    """Breaks one thing after the other. A second disk is lost only when the first is made good."""

    def __init__(self, cluster: NatsCluster, members: Members, postgres: PostgresServer, seed: int) -> None:
        self._cluster = cluster
        self._members = members
        self._store = postgres
        self._dice = random.Random(seed)
        self.happened: collections.Counter[str] = collections.Counter()
        self.slowest_disk = 0.0

    async def event(self, what: str = "") -> None:
        what = what or self._dice.choices(list(EVENTS), list(EVENTS.values()))[0]
        self.happened[what] += 1
        await getattr(self, f"_{what.replace(' ', '_')}")()

    async def _member(self) -> None:
        service = self._dice.choice(self._members.services)
        service.kill()
        await asyncio.sleep(self._dice.uniform(0, 1))
        service.spawn()
        await asyncio.to_thread(wait_until_listening, service)

    async def _zombie(self) -> None:
        """Longer than the others wait for it: when it wakes, its partitions belong to others."""
        service = self._dice.choice(self._members.services)
        service.running.send_signal(signal.SIGSTOP)
        await asyncio.sleep(self._dice.uniform(3.8, 5))
        service.running.send_signal(signal.SIGCONT)

    async def _node(self, count: int = 1) -> None:
        down = self._dice.sample(range(self._cluster.size), count)
        for node in down:
            self._cluster.kill(node)
        await asyncio.sleep(self._dice.uniform(0.3, 2))
        for node in down:
            self._cluster.start(node)

    async def _two_nodes(self) -> None:
        await self._node(2)

    async def _postgres(self) -> None:
        await asyncio.to_thread(self._store.restart, immediate=True)

    async def _disk(self) -> None:
        node = self._dice.randrange(self._cluster.size)
        self._cluster.kill(node)
        self._cluster.wipe(node)
        self._cluster.start(node)
        began = time.monotonic()
        await asyncio.to_thread(self._cluster.wait_until_current)
        self.slowest_disk = max(self.slowest_disk, time.monotonic() - began)


async def run(directory: Path, postgres: PostgresServer, events: list[str], seed: int, pause: float = 1.0) -> Chaos:
    """Send while these events happen; afterwards every log must be stored once."""
    with NatsCluster(directory, 3) as cluster, Members(directory, cluster, postgres.dsn()) as members:
        chaos = Chaos(cluster, members, postgres, seed)
        senders = Senders(members, seed=seed)
        async with senders.sending():
            await asyncio.sleep(1)
            for what in events:
                await chaos.event(what)
                await asyncio.sleep(pause)
        await check_exact(members, senders)
        deliveries, identities = members.deliveries()
        logs = sum(senders.acknowledged.values())
        print(
            f"{logs} logs of {len(senders.acknowledged)} clients, exact; {dict(chaos.happened)}; "
            f"{senders.repeats} repeats, {senders.duplicates} known; longest acknowledgement {senders.longest:.1f} s; "
            f"{deliveries} deliveries of {len(identities)} flushes; slowest new disk {chaos.slowest_disk:.1f} s"
        )
        return chaos


async def test_what_was_acknowledged_is_stored_once_whatever_breaks(tmp_path: Path, postgres: PostgresServer) -> None:
    await run(tmp_path, postgres, ["member", "node", "zombie", "two nodes", "postgres", "disk", "member", "node"], 1)


async def test_a_missing_replica_makes_health_degraded(tmp_path: Path, postgres: PostgresServer) -> None:
    with NatsCluster(tmp_path, 3) as cluster, Members(tmp_path, cluster, postgres.dsn(), 1, 1) as members:
        assert members.services[0].get("/health")["status"] == "healthy"
        cluster.kill(2)

        async def is_degraded() -> bool:
            told = await asyncio.to_thread(members.services[0].get, "/health")
            return told["status"] == "degraded" and "2 of 3 replicas" in told["checks"]["replicas"].get("detail", "")

        await until(is_degraded)
        cluster.start(2)

        async def is_healthy() -> bool:
            return (await asyncio.to_thread(members.services[0].get, "/health"))["status"] == "healthy"

        await until(is_healthy)


@pytest.mark.chaos
async def test_many_more_events(tmp_path: Path, postgres: PostgresServer) -> None:
    count = int(os.environ.get("CHAOS_EVENTS", "0"))
    if not count:
        pytest.skip("long: `make chaos` runs it; the test above is its small form")
    await run(tmp_path, postgres, [""] * count, seed=count)

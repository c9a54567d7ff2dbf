"""Three services on three nats-servers and one PostgreSQL, while parts of it are killed, stopped and wiped: exact."""

from __future__ import annotations

import asyncio
import collections
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.members import Members, Senders, check_exact, wait_until_listening
from tests.support.nats import NatsCluster, needs_nats, until
from tests.support.nets import Network
from tests.support.postgres import PostgresServer

pytestmark = [needs_nats, pytest.mark.slow, pytest.mark.cluster]

EVENTS = {"member": 5, "node": 5, "zombie": 2, "two nodes": 2, "postgres": 2, "disk": 2, "cut node": 1, "cut member": 2}
"""What happens, and how often one against the other."""

IMPORTS = """
import secrets, sys
from log_aggregator.cli.main import main
from log_aggregator_jetstream.intake import Intake
from log_aggregator_jetstream.partition import JetstreamPartition
"""

IMPATIENT = "patience = 3"
"""Members that answer 503 before the servers are back: what they wrote may be stored all the same."""

IMPATIENT_EVENTS = ["two nodes", "cut member", "two nodes", "cut member", "two nodes"]

REPEATS = 20
"""Requests that were sent again, some of which must have been stored before."""

TURNS = 5
"""How often the events of a run happen at most: whether a request is sent again is chance."""

REJOINED = 60.0
"""Seconds after which a node with an empty disk must have all that it should."""


@pytest.fixture
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
        self.duplicates = 0

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

    async def _cut_node(self) -> None:
        """Longer than an election takes: the others go on without it, and what it leads stands still."""
        assert self._cluster.network is not None
        heal = self._cluster.network.isolate_node(self._dice.randrange(self._cluster.size))
        await asyncio.sleep(self._dice.uniform(1, 9))
        heal()

    async def _cut_member(self) -> None:
        """Its partitions belong to others meanwhile, and it does not know it."""
        assert self._cluster.network is not None
        heal = self._cluster.network.isolate_member(self._dice.randrange(len(self._members.services)))
        await asyncio.sleep(self._dice.uniform(0.5, 6))
        heal()

    async def _postgres(self) -> None:
        await asyncio.to_thread(self._store.restart, immediate=True)

    async def _disk(self) -> None:
        """Lost while the others have everything: two copies lost at once are more than the cluster promises to bear."""
        await asyncio.to_thread(self._cluster.wait_until_current)
        node = self._dice.randrange(self._cluster.size)
        self._cluster.kill(node)
        self._cluster.wipe(node)
        self._cluster.start(node)
        began = time.monotonic()
        await asyncio.to_thread(self._cluster.wait_until_current)
        self.slowest_disk = max(self.slowest_disk, time.monotonic() - began)


async def run(
    directory: Path,
    postgres: PostgresServer,
    events: list[str],
    seed: int,
    pause: float = 1.0,
    command: list[str] | None = None,
    options: str = "",
    enough: Callable[[Senders], bool] = lambda _: True,
) -> Chaos:
    """Send while these events happen, all of them again until it is `enough`; then every log must be stored once."""
    with (
        Network(3, 3) as network,
        NatsCluster(directory, 3, network=network) as cluster,
        Members(directory, cluster, postgres.dsn(), command=command, options=options) as members,
    ):
        chaos = Chaos(cluster, members, postgres, seed)
        senders = Senders(members, seed=seed)
        async with senders.sending():
            await asyncio.sleep(1)
            for turn in range(TURNS):
                if turn and enough(senders):
                    break
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
        chaos.duplicates = senders.duplicates
        return chaos


async def test_what_was_acknowledged_is_stored_once_whatever_breaks(tmp_path: Path, postgres: PostgresServer) -> None:
    await run(tmp_path, postgres, list(EVENTS), 1)


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
@pytest.mark.timeout(0)
async def test_many_more_events(tmp_path: Path, postgres: PostgresServer) -> None:
    count = int(os.environ.get("CHAOS_EVENTS", "0"))
    if not count:
        pytest.skip("minutes: `make test-cluster` and `make chaos` run it; the test above is its small form")
    await run(tmp_path, postgres, [""] * count, seed=int(os.environ.get("CHAOS_SEED", count)), pause=0.3)


@pytest.mark.timeout(0)
async def test_disks_of_nodes_are_lost_for_good_one_after_the_other(tmp_path: Path, postgres: PostgresServer) -> None:
    chaos = await run(tmp_path, postgres, ["disk"] * int(os.environ.get("CHAOS_DISKS", "2")), 3)
    assert chaos.slowest_disk <= REJOINED


NO_FENCE = """
async def unfenced(self, body, headers, sequence):
    del headers["Nats-Expected-Last-Sequence"]
    await self._connection.publish(self._names.flushes(self.number), body, headers)
JetstreamPartition._publish = unfenced
"""
"""Who stood still seals all the same what others have sealed meanwhile."""

NO_KEYS = """
write = Intake._write
def anew(self, entry, body, key):
    return write(self, entry, body, secrets.token_hex(8))
Intake._write = anew
"""
"""A repeat is another request."""


@pytest.mark.parametrize(
    ("mutant", "events", "options", "repeats"),
    [(NO_FENCE, ["zombie"] * 4, "", 0), (NO_KEYS, IMPATIENT_EVENTS, IMPATIENT, REPEATS)],
    ids=["no fence", "no keys"],
)
async def test_a_mutant_is_found(
    mutant: str, events: list[str], options: str, repeats: int, tmp_path: Path, postgres: PostgresServer
) -> None:
    command = [sys.executable, "-c", f"{IMPORTS}{mutant}sys.exit(main())"]

    def enough(senders: Senders) -> bool:
        return senders.repeats >= repeats

    with pytest.raises(AssertionError, match=r"acknowledged and stored differ|has two contents") as found:
        await run(tmp_path, postgres, events, 1, command=command, options=options, enough=enough)
    print(str(found.value)[:200])


async def test_without_a_mutant_repeats_are_known(tmp_path: Path, postgres: PostgresServer) -> None:
    def enough(senders: Senders) -> bool:
        return senders.duplicates > 0

    chaos = await run(tmp_path, postgres, IMPATIENT_EVENTS, 1, options=IMPATIENT, enough=enough)
    assert chaos.duplicates > 0, "no repeat was known, so the mutant would not be found either"


def leaders(cluster: NatsCluster) -> list[str]:
    """Whom each node takes for the leader of the cluster."""
    return [str(cluster.ask(url, "jsz")["meta_cluster"].get("leader")) for url in cluster.monitors]


async def test_a_node_that_is_cut_off_is_replaced(tmp_path: Path) -> None:
    """The network of these tests has no way around a cut."""
    with Network(1, 3) as network, NatsCluster(tmp_path, 3, network=network) as cluster:
        first = leaders(cluster)[0]
        number = int(first.removeprefix("node-"))
        heal = network.isolate_node(number)

        async def others_have_another() -> bool:
            seen = await asyncio.to_thread(leaders, cluster)
            others = {one for node, one in enumerate(seen) if node != number}
            return len(others) == 1 and not others & {first, "None", ""}

        await until(others_have_another)
        heal()

        async def is_one_again() -> bool:
            return len(set(await asyncio.to_thread(leaders, cluster))) == 1

        await until(is_one_again)

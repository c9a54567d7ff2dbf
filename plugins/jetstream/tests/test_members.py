"""Three real services that are one: what runs once, and what each answers for all."""

from __future__ import annotations

import ast
import asyncio
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from log_aggregator.journal import PluginState
from log_aggregator.journals import Journal, JournalPlace
from log_aggregator_jetstream import JetstreamConfig, JetstreamPlugin
from log_aggregator_jetstream.members import owners
from tests.support.members import SINK_FILE, Members
from tests.support.nats import NatsCluster, needs_nats
from tests.support.postgres import PostgresServer

ONCE = SINK_FILE.replace("class Ledger:", 'class Ledger:\n    instances = "cluster"')
ROLES = ['roles = ["intake", "aggregate", "cluster"]', "", 'roles = ["intake"]']


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Members]:
    """The first has what runs once, the last only takes logs in."""
    postgres = PostgresServer().start()
    try:
        with NatsCluster(tmp_path) as cluster:
            made = Members(tmp_path, cluster, postgres.dsn(), partitions=4)
            for service, roles in zip(made.services, ROLES, strict=True):
                (service.plugins_file.parent / "own" / "ledger.py").write_text(ONCE)
                text = service.plugins_file.read_text().replace("partitions = 4", f"partitions = 4\n{roles}")
                service.plugins_file.write_text(text)
            with made:
                yield made
    finally:
        postgres.remove()


def send(members: Members, count: int) -> None:
    for number, service in enumerate(members.services):
        for _ in range(count):
            logs = [{"message": f"user {one}", "source": f"m{number}"} for one in range(10)]
            assert service.post("/ingest", logs)[0] == 202


def delivered(members: Members) -> int:
    """Logs that reached the sink which runs once; it has no transactions, so each identity counts once."""
    rows = [ast.literal_eval(content) for content in members.deliveries()[1].values()]
    return sum(row[-1] for some in rows for row in some)


def wait_for_delivered(members: Members, count: int) -> None:
    end = time.monotonic() + 30
    while (found := delivered(members)) < count and time.monotonic() < end:
        time.sleep(0.1)
    assert found == count


def wait_until_all_are_known(members: Members) -> None:
    """Members learn of one another within a second of the start; what each answers is looked at afterwards."""
    end = time.monotonic() + 30
    while any(len(service.get("/stats")["instance"]) != 3 for service in members.services) and time.monotonic() < end:
        time.sleep(0.1)


@needs_nats
def test_three_services_are_one(members: Members) -> None:
    first, second, intake = members.services
    send(members, 4)
    answer = intake.post("/flush")[1]
    assert answer["sealed"], "one member's flush seals what all hold"
    assert asyncio.run(members.stored()) == {"m0": 40, "m1": 40, "m2": 40}
    wait_until_all_are_known(members)
    for service in members.services:
        stats = service.get("/stats")
        assert sorted(stats["instance"]) == ["m0", "m1", "m2"]
        assert (stats["logs"]["accepted"], stats["logs"]["aggregated"]) == (120, 120)
        assert service.get("/health")["status"] == "healthy"
    wait_for_delivered(members, 120)
    first.kill()
    for service in (second, intake):  # the others go on with its partitions
        assert service.post("/ingest", [{"message": "user 1", "source": "later"}] * 10)[0] == 202
    end = time.monotonic() + 30
    while asyncio.run(members.stored()).get("later") != 20 and time.monotonic() < end:
        time.sleep(0.1)
    assert asyncio.run(members.stored())["later"] == 20
    assert delivered(members) == 120, "what runs once stands still while its member is away"
    first.start()
    wait_for_delivered(members, 140)
    assert [file.name for file in members.ledger.iterdir()] == ["0"], "it ran on one member only"


def test_partitions_are_shared_out_evenly_and_by_all_alike() -> None:
    names = [str(one) for one in range(6)]
    for members in (["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]):
        found = owners(names, members)
        counts = [list(found.values()).count(member) for member in members]
        assert max(counts) - min(counts) <= 1
        assert min(counts) > 0


@needs_nats
async def test_what_a_plugin_keeps_follows_it_to_another_member(tmp_path: Path) -> None:
    """Of a plugin that runs once any member has it; of the others each member has its own."""
    with NatsCluster(tmp_path) as cluster:

        def journal(member: str) -> AbstractAsyncContextManager[Journal]:
            config = JetstreamConfig(servers=tuple(cluster.servers), member=member, partitions=1, replicas=1)
            return JetstreamPlugin(config).open(JournalPlace(tmp_path, 10))

        async with journal("one") as one:
            await PluginState(one, "trends", "rules").save(b"from before it followed")
            follows = PluginState(one, "trends", "rules", follows=True)
            assert await follows.load() == b"from before it followed"
            await follows.save(b"of all")
            await PluginState(one, "files", "place").save(b"of one")
        async with journal("two") as two:
            assert await PluginState(two, "trends", "rules", follows=True).load() == b"of all"
            assert await PluginState(two, "files", "place").load() is None


@needs_nats
def test_a_rule_goes_with_the_role_to_another_member(tmp_path: Path) -> None:
    """The machine that ran `trends` is gone, with its disk."""
    postgres = PostgresServer().start()
    try:
        with NatsCluster(tmp_path) as cluster:
            members = Members(tmp_path, cluster, postgres.dsn(), count=2, more="[plugins.trends]")
            first, second = members.services
            file = first.plugins_file
            file.write_text(file.read_text().replace("partitions = 6", f"partitions = 6\n{ROLES[0]}"))
            with members:
                assert first.post("/rules", {"name": "orders", "search": "order", "more_than": 5})[0] == 201
                first.kill()
                members.services = [second]
                second.terminate()
                file = second.plugins_file
                file.write_text(file.read_text().replace("partitions = 6", f"partitions = 6\n{ROLES[0]}"))
                second.start()
                assert [rule["name"] for rule in second.get("/rules")["rules"]] == ["orders"]
    finally:
        postgres.remove()

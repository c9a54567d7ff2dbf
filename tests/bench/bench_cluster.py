"""What the journal in JetStream carries beside the embedded one, and how long it stands still.

`python -m tests.bench.bench_cluster [compare] [stalls] [takeover]`
Rows of 1000 logs, 16 appends in flight, one process each time; rounds alternate. Three servers and the service share
this machine, so only ratios say something.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from log_aggregator import Record
from log_aggregator.journal import sqlite_journal
from log_aggregator.journals import Entry, Journal, JournalPlace, encode_records
from log_aggregator_jetstream import JetstreamConfig, JetstreamPlugin
from tests.support.members import Members, Senders, check_exact
from tests.support.nats import NatsCluster
from tests.support.postgres import PostgresServer

LOGS = 1000
FLIGHT = 16
SECONDS = 3.0
ROUNDS = 3


def row() -> bytes:
    """A row as long as one of the demo's: about 24 kB compressed."""
    dice = random.Random(1)
    records = []
    for one in range(LOGS):
        text = (
            f"User {dice.randrange(10**6)} logged in from 10.{dice.randrange(256)}.0.{one % 251}, {dice.random():.12f}"
        )
        records.append(Record(text, "INFO", f"app-{one % 7}", one, {"request": f"{dice.getrandbits(48):012x}"}))
    return encode_records(records)


async def throughput(journal: Journal, flight: int = FLIGHT) -> tuple[float, float, float]:
    """Logs a second, the median of an acknowledgement in ms, and CPU seconds of this process for 100,000 logs."""
    payload, took, end = row(), list[float](), time.perf_counter() + SECONDS

    async def one(number: int) -> None:
        count = 0
        while time.perf_counter() < end:
            count += 1
            began = time.perf_counter()
            await journal.append([Entry(payload, LOGS, f"{number}-{count}-{end}", b"d")])
            took.append(time.perf_counter() - began)

    used, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(flight)))
    seconds, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    logs = LOGS * len(took)
    return logs / seconds, 1000 * statistics.median(took), 100_000 * cpu / logs


@asynccontextmanager
async def opened(cluster: NatsCluster, name: str, partitions: int) -> AsyncIterator[Journal]:
    """A journal on the cluster."""
    config = JetstreamConfig(
        servers=tuple(cluster.servers),
        name=name,
        member="bench",
        partitions=partitions,
        replicas=cluster.size,
        max_bytes=2**30 if partitions == 1 else 2**27,
    )
    async with JetstreamPlugin(config).open(JournalPlace(Path("/"), 1000)) as journal:
        yield journal


async def compare(directory: Path) -> None:
    """The journals alone."""
    found: dict[str, list[tuple[float, ...]]] = {"sqlite": [], "jetstream": []}
    with NatsCluster(directory / "nats", 3) as cluster:
        for number in range(ROUNDS):
            async with sqlite_journal(directory / f"sqlite-{number}", 100_000) as embedded:
                found["sqlite"].append((*await throughput(embedded), 0.0))
            async with opened(cluster, f"bench{number}", 6) as journal:
                before = cluster.cpu_seconds()
                one = await throughput(journal)
                servers = cluster.cpu_seconds() - before
                found["jetstream"].append((*one, 100_000 * servers / (one[0] * SECONDS)))
    for kind, rounds in found.items():
        logs, wait, cpu, servers = (statistics.median(one) for one in zip(*rounds, strict=True))
        print(f"{kind:<10} {logs:>9,.0f} logs/s, p50 {wait:5.1f} ms, CPU s/100k: {cpu:.3f} here, {servers:.3f} servers")


async def stalls(directory: Path) -> None:
    """How long acknowledgements stand still when the leader of a stream is killed."""
    with NatsCluster(directory / "stalls", 3) as cluster:
        async with opened(cluster, "stall", 1) as journal:
            times, end = [time.monotonic()], time.monotonic() + 16
            payload = row()

            async def one(number: int) -> None:
                count = 0
                while time.monotonic() < end:
                    count += 1
                    await journal.append([Entry(payload, LOGS, f"{number}-{count}", b"d")])
                    times.append(time.monotonic())

            async def kill() -> None:
                await asyncio.sleep(3)
                for number, url in enumerate(cluster.monitors):
                    told = await asyncio.to_thread(cluster.ask, url, "jsz?streams=1")
                    streams = told["account_details"][0]["stream_detail"]
                    if any(
                        s["name"] == "la-stall-in-0" and s["cluster"]["leader"] == f"node-{number}" for s in streams
                    ):
                        cluster.kill(number)
                        return

            await asyncio.gather(kill(), *(one(number) for number in range(FLIGHT)))
            print(f"leader killed: stall {max(b - a for a, b in itertools.pairwise(times)):.1f} s")


async def takeover(directory: Path) -> None:
    """How long it takes until what a killed member owned is stored by others, and what a member and a server weigh."""
    postgres = PostgresServer().start()
    place = directory / "members"
    place.mkdir()
    try:
        with NatsCluster(place, 3) as cluster, Members(place, cluster, postgres.dsn(), partitions=6) as members:
            await asyncio.sleep(8)
            idle = [(one.get("/stats")["memory"]["resident_bytes"]) / 3 for one in members.services[:1]]
            print(f"idle: {idle[0] / 2**20:.0f} MiB a member, {max(cluster.resident_bytes()) / 2**20:.0f} MiB a server")
            senders = Senders(members, count=2)
            async with senders.sending():
                await asyncio.sleep(3)
                members.services[0].kill()
                killed = time.monotonic()
                alive = members.services[1:]
                members.services = alive
                await asyncio.sleep(0.5)
            sent = sum(senders.acknowledged.values())
            while sum((await members.stored()).values()) < sent:
                await asyncio.sleep(0.1)
            print(f"member killed: all that it owned is stored by others after {time.monotonic() - killed:.1f} s")
            await check_exact(members, senders)
    finally:
        postgres.remove()


async def main() -> None:
    """All of them."""
    with tempfile.TemporaryDirectory() as name:
        for measure in (compare, stalls, takeover):
            if measure.__name__ in sys.argv[1:] or not sys.argv[1:]:
                await measure(Path(name))


if __name__ == "__main__":
    asyncio.run(main())

"""Several services that are one: on real nats-servers and one PostgreSQL, with senders that keep a ledger."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import random
import signal
import time
from pathlib import Path
from typing import Any, Self

import aiohttp
import asyncpg

from tests.support.nats import NatsCluster
from tests.support.service import COMMAND, ServiceProcess


class Members:
    """`count` services of one log. Leaving the block ends them."""

    def __init__(
        self,
        directory: Path,
        cluster: NatsCluster,
        dsn: str,
        count: int = 3,
        partitions: int = 6,
        command: list[str] | None = None,
        more: str = "",
        environ: dict[str, str] | None = None,
        options: str = "",
    ) -> None:
        self.dsn = dsn
        self.ledger = directory / "deliveries"
        self.ledger.mkdir()
        self.services: list[ServiceProcess] = []
        for number in range(count):
            own = directory / f"member-{number}"
            (own / "own").mkdir(parents=True)
            (own / "own" / "ledger.py").write_text(SINK_FILE)
            pipeline = f"""plugins_dir = "own"

[journal]
kind = "jetstream"
servers = {json.dumps(cluster.servers_of(number))}
monitors = {json.dumps(cluster.monitors)}
replicas = {cluster.size}
member = "m{number}"
partitions = {partitions}
max_bytes = {2**27}
{options}

[plugins.patterns]

[plugins.postgres]
dsn = "{dsn}"

[plugins.ledger]
to = "{self.ledger / str(number)}"
{more}
"""
            settings = {"AGGREGATION_WINDOW": "0.5", **(environ or {})}
            self.services.append(ServiceProcess(own, pipeline, settings, command or [COMMAND]))

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as failing:
            failing.callback(self.__exit__)
            for service in self.services:
                service.spawn()
            for service in self.services:
                wait_until_listening(service)
            failing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for service in self.services:
            if service.process is not None and service.process.poll() is None:
                service.process.send_signal(signal.SIGCONT)
                service.kill()

    def deliveries(self) -> tuple[int, dict[str, str]]:
        """How often flushes were delivered to the sink without transactions, and the content of each identity.

        Raises `AssertionError` when one identity has two contents.
        """
        lines, seen = 0, dict[str, str]()
        for file in self.ledger.iterdir():
            for line in file.read_text().splitlines():
                identity, tab, content = line.partition("\t")
                if not tab or not content.endswith("]"):
                    continue  # the process was killed while it wrote
                lines += 1
                assert seen.setdefault(identity, content) == content, f"{identity} has two contents"
        return lines, seen

    async def stored(self) -> dict[str, int]:
        """Logs in the store, of each source."""
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch("SELECT source, sum(count)::bigint FROM aggregated_logs GROUP BY 1")
        finally:
            await connection.close()
        return {row[0]: int(row[1]) for row in rows}


SINK_FILE = '''"""Notes each delivery: the flush's identity and what it holds."""

from pathlib import Path

from pydantic import BaseModel

from log_aggregator import hookimpl


class Ledger:
    class Config(BaseModel, extra="forbid"):
        to: Path

    def __init__(self, config):
        self.to = config.to

    @hookimpl
    async def on_flush(self, flush):
        rows = sorted((a.source, a.pattern, a.level, a.bucket, a.count) for a in flush.aggregates)
        with self.to.open("a") as file:
            file.write(f"{flush.identity}\\t{rows}\\n")
'''


def wait_until_listening(service: ServiceProcess, deadline: float = 60.0) -> None:
    """Wait for a service that was spawned. Raises `AssertionError` with its output."""
    end = time.monotonic() + deadline
    while not service._listens():
        if time.monotonic() > end or service.running.poll() is not None:
            raise AssertionError(f"the service did not start:\n{service.read_output()[-3000:]}")
        time.sleep(0.05)


class Senders:
    """Send batches under keys, to whichever member answers, again until each is acknowledged."""

    def __init__(self, members: Members, count: int = 4, seed: int = 1) -> None:
        self.members = members
        self.acknowledged: collections.Counter[str] = collections.Counter()
        self.repeats = 0
        self.duplicates = 0
        self.longest = 0.0
        self._dice = random.Random(seed)
        self._count = count
        self._stopped = False

    @contextlib.asynccontextmanager
    async def sending(self) -> Any:
        """Send until the block is left; then all that is under way is acknowledged."""
        timeout = aiohttp.ClientTimeout(total=15)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            tasks = [asyncio.create_task(self._send(session, number)) for number in range(self._count)]
            try:
                yield self
            except BaseException:  # what failed may be why nothing is acknowledged any more
                for task in tasks:
                    task.cancel()
                raise
            self._stopped = True
            await asyncio.gather(*tasks)

    async def _send(self, session: aiohttp.ClientSession, number: int) -> None:
        batch = 0
        while not self._stopped:
            batch += 1
            own = self._dice.randrange(1, 50)
            logs = {f"s{number}-{self._dice.randrange(5)}": own, f"shared{self._dice.randrange(3)}": 50 - own}
            body = [
                {"message": f"User {one} logged in {batch}", "source": source}
                for source, count in logs.items()
                for one in range(count)
            ]
            began = time.monotonic()
            while not await self._once(session, body, f"{number}-{batch}"):
                self.repeats += 1
                await asyncio.sleep(self._dice.uniform(0.05, 0.3))
            self.longest = max(self.longest, time.monotonic() - began)
            self.acknowledged.update(logs)

    async def _once(self, session: aiohttp.ClientSession, body: Any, key: str) -> bool:
        service = self._dice.choice(self.members.services)
        try:
            async with session.post(f"{service.url}/ingest", json=body, headers={"Idempotency-Key": key}) as answer:
                told = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return False
        if answer.status == 202:
            self.duplicates += bool(told.get("duplicate"))
            return True
        assert answer.status == 503, told
        return False


async def flush_all(members: Members) -> None:
    """Seal and store what every member has: afterwards nothing is under way."""
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for service in members.services:
            async with session.post(f"{service.url}/flush") as answer:
                await answer.read()


async def check_exact(members: Members, senders: Senders, deadline: float = 60.0) -> None:
    """Wait until everything is stored, then compare: every client's logs once, in both sinks."""
    expected = dict(senders.acknowledged)
    end = time.monotonic() + deadline
    while True:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            await flush_all(members)
        stored = await members.stored()
        if sum(stored.values()) >= sum(expected.values()) or time.monotonic() > end:
            break
        await asyncio.sleep(0.2)
    await flush_all(members)
    stored = await members.stored()
    wrong = {
        source: (expected.get(source, 0), stored.get(source, 0))
        for source in expected.keys() | stored.keys()
        if expected.get(source, 0) != stored.get(source, 0)
    }
    assert wrong == {}, f"acknowledged and stored differ: {wrong}"

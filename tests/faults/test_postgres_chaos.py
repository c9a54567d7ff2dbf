"""Kills of the service, crashes of PostgreSQL and cuts of the link, all under load: acknowledged is counted, once."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.faults.crashing import Client
from tests.support.link import Link
from tests.support.postgres import PASSWORD, PostgresServer, own_postgres
from tests.support.service import ServiceProcess

__all__ = ["own_postgres"]

KILLS = 8
MANY_KILLS = int(os.environ.get("CHAOS_KILLS") or 0)
PIPELINE = "[plugins.postgres]\ncommand_timeout = 5\nstatement_timeout = 4\n"
CATCH_UP = 240.0

KILL, CRASH, CUTS = "kill of the service", "crash of the server", "cuts of the link"
AT_START, WITH_CRASH, WITH_CUTS = "kill while it starts", "kill while the server crashes", "kill while the link is cut"
WEIGHTS = {KILL: 6, AT_START: 1, WITH_CRASH: 1, WITH_CUTS: 2, CRASH: 1, CUTS: 1}
"""How often each fault comes, beside the others."""


class Chaos:
    """A service behind which everything breaks, and clients that retry with `Idempotency-Key` until it is done."""

    def __init__(self, server: PostgresServer, directory: Path, seed: int) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.clients = [Client(f"client-{number}", keyed=True) for number in range(3)]
        self.link = Link(("127.0.0.1", server.port))
        self.done: Counter[str] = Counter()
        self.kills_under_load = 0
        self._acknowledged_before = 0
        self._directory = directory
        self._stopping = False
        self._up = asyncio.Event()

    async def run(self, kills: int) -> tuple[dict[str, int], dict[str, int]]:
        """Break things until the service was killed `kills` times under load; (acknowledged, stored) by source."""
        async with self.link:
            self.service = ServiceProcess(self._directory, PIPELINE, self._environ())
            try:
                await self._start_service()
                clients = [asyncio.create_task(self._send(client)) for client in self.clients]
                while self.kills_under_load < kills:
                    await asyncio.sleep(self.random.uniform(0.05, 0.4))
                    await self._break()
                self._stopping = True
                self.link.watch = None
                await asyncio.gather(*clients)
                return await self._settle()
            finally:
                self.service.stop()

    def told(self) -> str:
        """What was done, for whoever reads the output."""
        return f"{self.kills_under_load} kills under load; {dict(self.done)}, {self.link.cuts} cuts"

    def _environ(self) -> dict[str, str]:
        return {
            "AGGREGATION_WINDOW": "0.05",
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(self.link.port),
            "POSTGRES_PASSWORD": PASSWORD,
            "POSTGRES_SSLMODE": "disable",
        }

    async def _start_service(self) -> None:
        await asyncio.to_thread(self.service.start)
        self._acknowledged_before = self._acknowledged()
        self._up.set()

    def _acknowledged(self) -> int:
        return sum(client.acknowledged for client in self.clients)

    async def _break(self) -> None:
        (kind,) = self.random.choices(list(WEIGHTS), WEIGHTS.values())
        self.done[kind] += 1
        if kind in (CUTS, WITH_CUTS):
            self.link.watch = self._cut
            await asyncio.sleep(self.random.uniform(0.05, 0.5))
        crash = asyncio.create_task(self._crash_server()) if kind in (CRASH, WITH_CRASH) else None
        if kind == WITH_CRASH:
            await asyncio.sleep(self.random.uniform(0, 0.1))
        if kind not in (CRASH, CUTS):
            await self._kill_service(at_start=kind == AT_START)
        if crash is not None:
            await crash
        self.link.watch = None

    async def _crash_server(self) -> None:
        await asyncio.to_thread(self.server.restart, immediate=True)

    async def _kill_service(self, *, at_start: bool) -> None:
        """Kill it, and once more while it starts if `at_start`; then start it."""
        self._up.clear()
        self.kills_under_load += self._acknowledged() > self._acknowledged_before
        await asyncio.to_thread(self.service.kill)
        if at_start:
            self.service.spawn()
            await asyncio.sleep(self.random.uniform(0, 1))
            await asyncio.to_thread(self.service.kill)
        await self._start_service()

    def _cut(self, _direction: str, data: bytes) -> int | None:
        return self.random.randrange(len(data)) if self.random.random() < 0.1 else None

    async def _send(self, client: Client) -> None:
        while not self._stopping or client.pending:
            await self._up.wait()
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
                if self._stopping:
                    await client.settle(session, self.service.url)
                    continue
                sending = asyncio.create_task(client.send_until_broken(session, self.service.url))
                while not self._stopping and not sending.done():
                    await asyncio.sleep(0.02)
                if not sending.done():
                    # What is on its way when the load ends is broken off, and so retried like all the rest.
                    await session.close()
                await sending

    async def _settle(self) -> tuple[dict[str, int], dict[str, int]]:
        acknowledged = {client.source: client.acknowledged for client in self.clients}
        deadline = time.monotonic() + CATCH_UP
        while True:
            await asyncio.to_thread(self.service.post, "/flush?deadline=2")
            stored = await self._stored()
            if sum(stored.values()) >= sum(acknowledged.values()) or time.monotonic() > deadline:
                return acknowledged, stored

    async def _stored(self) -> dict[str, int]:
        connection = await asyncpg.connect(self.server.dsn())
        try:
            found = "SELECT source, sum(count)::bigint FROM aggregated_logs GROUP BY source"
            return dict(await connection.fetch(found))
        finally:
            await connection.close()


@pytest.mark.slow
@pytest.mark.timeout(580)
async def test_kills_under_load(own_postgres: PostgresServer, tmp_path: Path) -> None:
    chaos = Chaos(own_postgres, tmp_path, seed=KILLS)
    acknowledged, stored = await chaos.run(KILLS)
    print(f"{chaos.told()}; acknowledged {acknowledged}, stored {stored}")
    assert stored == acknowledged
    assert all(acknowledged.values())


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.skipif(not MANY_KILLS, reason="long: `make chaos` runs it; the test above is its small form")
@pytest.mark.timeout(0)
async def test_many_kills_under_load(own_postgres: PostgresServer, tmp_path: Path) -> None:
    chaos = Chaos(own_postgres, tmp_path, seed=MANY_KILLS)
    acknowledged, stored = await chaos.run(MANY_KILLS)
    print(f"{chaos.told()}; acknowledged {acknowledged}, stored {stored}")
    assert stored == acknowledged

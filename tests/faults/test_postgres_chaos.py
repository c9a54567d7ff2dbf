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
from tests.servers.link import Link
from tests.servers.postgres import PASSWORD, PostgresServer, own_postgres
from tests.servers.service import ServiceProcess

__all__ = ["own_postgres"]

KILLS = 60
MANY_KILLS = int(os.environ.get("CHAOS_KILLS") or 0)
PIPELINE = "[plugins.postgres]\ncommand_timeout = 5\nstatement_timeout = 4\n"
CATCH_UP = 120.0


class Chaos:
    """A service behind which everything breaks, and clients that retry with `Idempotency-Key` until it is done."""

    def __init__(self, server: PostgresServer, directory: Path, seed: int) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.clients = [Client(f"client-{number}", keyed=True) for number in range(3)]
        self.link = Link(("127.0.0.1", server.port))
        self.done: Counter[str] = Counter()
        self._directory = directory
        self._stopping = False
        self._up = asyncio.Event()

    async def run(self, kills: int) -> tuple[dict[str, int], dict[str, int]]:
        """Break something `kills` times; (acknowledged, stored) by source."""
        async with self.link:
            self.service = ServiceProcess(self._directory, PIPELINE, self._environ())
            try:
                await self._start_service()
                clients = [asyncio.create_task(self._send(client)) for client in self.clients]
                for _ in range(kills):
                    await asyncio.sleep(self.random.uniform(0.05, 0.4))
                    await self._break()
                self._stopping = True
                self.link.watch = None
                await asyncio.gather(*clients)
                return await self._settle()
            finally:
                self.service.stop()

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
        self._up.set()

    async def _break(self) -> None:
        kind = self.random.choice(("kill of the service", "crash of the server", "cuts of the link"))
        self.done[kind] += 1
        if kind == "kill of the service":
            self._up.clear()
            await asyncio.to_thread(self.service.kill)
            await self._start_service()
        elif kind == "crash of the server":
            await asyncio.to_thread(self.server.restart, immediate=True)
        else:
            self.link.watch = self._cut
            await asyncio.sleep(self.random.uniform(0.05, 0.5))
            self.link.watch = None

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
async def test_sixty_faults_under_load(own_postgres: PostgresServer, tmp_path: Path) -> None:
    chaos = Chaos(own_postgres, tmp_path, seed=KILLS)
    acknowledged, stored = await chaos.run(KILLS)
    print(f"{dict(chaos.done)}, {chaos.link.cuts} cuts; acknowledged {acknowledged}, stored {stored}")
    assert stored == acknowledged
    assert all(acknowledged.values())


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.skipif(not MANY_KILLS, reason="long: `make chaos` runs it, CHAOS_KILLS says how many faults")
@pytest.mark.timeout(0)
async def test_many_faults_under_load(own_postgres: PostgresServer, tmp_path: Path) -> None:
    chaos = Chaos(own_postgres, tmp_path, seed=MANY_KILLS)
    acknowledged, stored = await chaos.run(MANY_KILLS)
    print(f"{dict(chaos.done)}, {chaos.link.cuts} cuts; acknowledged {acknowledged}, stored {stored}")
    assert stored == acknowledged

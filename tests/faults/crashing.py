"""Load and SIGKILL: clients that post until they are killed off from, and know what was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.service import ServiceProcess

_REFUSED = (aiohttp.ClientError, ConnectionError, TimeoutError)


@dataclass
class Client:
    """One sender. With keys it retries what it does not know the fate of; without, it only counts it."""

    source: str
    keyed: bool
    acknowledged: int = 0
    unknown: int = 0
    pending: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def send_until_broken(self, session: aiohttp.ClientSession, url: str) -> None:
        """Retry what is pending, then send new batches until the service is gone."""
        while True:
            key, batch = self.pending.pop() if self.pending else self._new_batch()
            if not await self._send(session, url, key, batch):
                return

    async def settle(self, session: aiohttp.ClientSession, url: str) -> None:
        """Retry what is pending until nothing is."""
        while self.pending:
            await self._send(session, url, *self.pending.pop())

    def _new_batch(self) -> tuple[str, list[dict[str, Any]]]:
        size = random.choice((1, 7, 20))
        logs = [{"message": f"Worker {next(self.numbers) % 50} is done", "source": self.source} for _ in range(size)]
        return uuid.uuid4().hex, logs

    async def _send(self, session: aiohttp.ClientSession, url: str, key: str, batch: list[dict[str, Any]]) -> bool:
        headers = {"Idempotency-Key": key} if self.keyed else {}
        try:
            async with session.post(f"{url}/ingest/batch", json={"logs": batch}, headers=headers) as answer:
                if answer.status == 503:
                    raise ConnectionError("not now")
                assert answer.status == 202, await answer.text()
                self.acknowledged += (await answer.json())["accepted"]
                return True
        except (*_REFUSED, asyncio.CancelledError) as error:
            if self.keyed:
                self.pending.append((key, batch))
            else:
                self.unknown += len(batch)
            if isinstance(error, asyncio.CancelledError):
                raise
            return False


Ready = Callable[[list[Client]], bool]


async def load_and_kill(
    service: ServiceProcess, clients: list[Client], rounds: int, ready: Ready = lambda _: True
) -> None:
    """Start the service, load it, kill it at a random moment; again and again. Leaves it running and settled.

    No kill comes before `ready`: a mutant says when one shows its bug. Each client has an answer in the end.
    """
    for number in range(rounds):
        await asyncio.to_thread(service.start)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            senders = [asyncio.create_task(client.send_until_broken(session, service.url)) for client in clients]
            async with asyncio.timeout(120):
                while not (ready(clients) and (number < rounds - 1 or all(one.acknowledged for one in clients))):
                    await asyncio.sleep(0.02)
            await asyncio.sleep(random.uniform(0.05, 0.5))
            await asyncio.to_thread(service.kill)
            await asyncio.gather(*senders)
    await asyncio.to_thread(service.start)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        for client in clients:
            await client.settle(session, service.url)
        async with session.post(f"{service.url}/flush") as answer:
            assert answer.status == 200, await answer.text()


def counted(service: ServiceProcess) -> Counter[str]:
    """What the SQLite store holds, by source."""
    with sqlite3.connect(service.data_dir / "logs.sqlite3") as connection:
        rows = connection.execute("SELECT source, sum(count) FROM aggregated_logs GROUP BY source").fetchall()
    connection.close()
    return Counter(dict(rows))


def differences(service: ServiceProcess, clients: list[Client]) -> dict[str, int]:
    """By source: logs counted too often (positive) or lost (negative). Empty when all is exact."""
    found = counted(service)
    wrong = {}
    for client in clients:
        count = found[client.source]
        if count < client.acknowledged:
            wrong[client.source] = count - client.acknowledged
        elif count > client.acknowledged + client.unknown:
            wrong[client.source] = count - client.acknowledged - client.unknown
    return wrong


def shows(window: Path, sign: int) -> Ready:
    """When a kill shows the bug of a mutant: it is in its window, and what it will lose was acknowledged."""
    return lambda clients: window.exists() and (sign > 0 or any(client.acknowledged for client in clients))


def make_clients() -> list[Client]:
    """Three that retry with keys, one that does not."""
    return [Client(f"keyed-{number}", keyed=True) for number in range(3)] + [Client("plain", keyed=False)]

"""The link breaks while COMMIT is under way: nobody knows whether it happened, and still each log counts once."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from log_aggregator.sinks import Flush
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_postgres.pool import Connection
from log_aggregator_postgres.rows import Written
from log_aggregator_postgres.writer import Writer, claim
from tests.support.link import Link
from tests.support.postgres import ForeignServer, PostgresServer, postgres_dsn, postgres_server, through
from tests.support.sinks import Chain, aggregate, deliver, hosted

__all__ = ["postgres_dsn", "postgres_server"]

CUTS = 30
CHAOS_CUTS = int(os.environ.get("CHAOS_KILLS") or 1000)


class CutAtCommit:
    """Cuts at a random byte of the COMMIT on its way up, or of the answer on its way down."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.armed = False
        self.cut_answer = False

    def __call__(self, direction: str, data: bytes) -> int | None:
        if self.armed and direction == "up" and b"COMMIT\0" in data:
            self.armed = False
            if self.random.random() < 0.3:
                return self.random.randrange(len(data))
            self.cut_answer = True
        elif self.cut_answer and direction == "down":
            self.cut_answer = False
            return self.random.randrange(len(data))
        return None


async def count_after_cuts(sink: PostgresSink, link: Link, rounds: int, tmp_path: Path, dsn: str) -> tuple[int, int]:
    """Deliver flushes whose first commit is cut each: (logs sent, logs stored)."""
    chain, cut = Chain(), CutAtCommit(seed=rounds)
    link.watch = cut
    async with hosted(sink, tmp_path):
        await deliver(sink, chain.flush([aggregate("warm up")]))
        for n in range(rounds):
            cut.armed = True
            await deliver(sink, chain.flush([aggregate(f"pattern {n % 7} {i}", 1 + n % 3, at=n) for i in range(5)]))
    connection = await asyncpg.connect(dsn)
    stored = await connection.fetchval("SELECT sum(count)::bigint FROM aggregated_logs")
    await connection.close()
    assert link.cuts >= rounds, "every round was meant to be cut"
    return chain.sent, stored


def behind(link: Link, dsn: str) -> PostgresSink:
    """A sink that reaches the database through the link."""
    address = through(dsn, link.port, sslmode="disable")
    return PostgresSink(PostgresConfig.model_validate({"dsn": address, "pool_min": 0}))


async def test_cuts_during_commit_count_nothing_twice(
    postgres_dsn: str, postgres_server: PostgresServer | ForeignServer, tmp_path: Path
) -> None:
    async with Link(postgres_server.address) as link:
        sent, stored = await count_after_cuts(behind(link, postgres_dsn), link, CUTS, tmp_path, postgres_dsn)
    assert stored == sent


@pytest.mark.chaos
@pytest.mark.skipif(
    "CHAOS_KILLS" not in os.environ, reason="long: `make chaos` runs it; the test above is its small form"
)
async def test_many_cuts_during_commit_count_nothing_twice(
    postgres_dsn: str, postgres_server: PostgresServer | ForeignServer, tmp_path: Path
) -> None:
    async with Link(postgres_server.address) as link:
        sink = behind(link, postgres_dsn)
        sent, stored = await count_after_cuts(sink, link, CHAOS_CUTS, tmp_path, postgres_dsn)
        print(f"{link.cuts} cuts during COMMIT, {sent} logs sent, {stored} stored")
    assert stored == sent


class ProgressAfterCommit(Writer):
    """A mutant: the rows are committed first, the progress in a transaction of its own."""

    async def _attempt(self, flush: Flush, rows: Any) -> Written:
        written: Written = []
        async with self._pool.transaction() as connection:
            progress = await connection.fetchrow(
                "SELECT epoch, sequence FROM flush_progress WHERE instance = $1", "instance"
            )
            if progress is not None and tuple(progress) == flush.position:
                return []
            written += await self._write(connection, rows)
        async with self._pool.transaction() as connection:
            await claim(connection, flush)
        return written


class NaiveRetry(Writer):
    """A mutant: an attempt that failed is simply made again, the progress is not asked."""

    async def _attempt(self, flush: Flush, rows: Any) -> Written:
        async with self._pool.transaction() as connection:
            return await self._write(connection, rows)


@pytest.mark.parametrize("mutant", [ProgressAfterCommit, NaiveRetry])
async def test_the_cuts_find_a_writer_that_counts_twice(
    mutant: type[Writer],
    postgres_dsn: str,
    postgres_server: PostgresServer | ForeignServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("log_aggregator_postgres.sink.Writer", mutant)
    async with Link(postgres_server.address) as link:
        sent, stored = await count_after_cuts(behind(link, postgres_dsn), link, CUTS, tmp_path, postgres_dsn)
    assert stored > sent


async def test_cuts_at_any_byte_of_either_direction(
    postgres_dsn: str, postgres_server: PostgresServer | ForeignServer, tmp_path: Path
) -> None:
    """Not only COMMIT: the link may break in the middle of the rows, of the login, of an answer."""
    dice, chain = random.Random(5), Chain()

    def cut(_direction: str, data: bytes) -> int | None:
        return dice.randrange(len(data)) if dice.random() < 0.05 else None

    async with Link(postgres_server.address) as link:
        sink = behind(link, postgres_dsn)
        async with hosted(sink, tmp_path) as host:
            await deliver(sink, chain.flush([aggregate("warm up")]))
            link.watch = cut
            for n in range(60):
                await deliver(sink, chain.flush([aggregate(f"pattern {i}", 1, at=n) for i in range(50)]))
            link.watch = None
            await asyncio.sleep(0)
            series = await host.store.health()
            assert series.reachable
    connection: Connection = await asyncpg.connect(postgres_dsn)
    assert await connection.fetchval("SELECT sum(count)::bigint FROM aggregated_logs") == chain.sent
    assert link.cuts > 20
    await connection.close()  # type: ignore[union-attr]

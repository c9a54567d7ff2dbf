"""Four instances write the same keys of one database at once: no deadlock, and every sum is exact."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from log_aggregator.storekit import Row, rows_of
from log_aggregator_postgres import PostgresConfig, PostgresSink
from tests.support.postgres import postgres_dsn, postgres_server
from tests.support.sinks import Chain, aggregate, deliver, hosted

__all__ = ["postgres_dsn", "postgres_server"]

KEYS = 500
SECONDS = 30.0 if "CHAOS_KILLS" in os.environ else 4.0


DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
LONGEST = 200.0
"""Seconds within which something must have happened on a busy machine too."""


async def write(name: str, dsn: str, directory: Path, seconds: float = SECONDS) -> Chain:
    """One instance: flushes over all keys, in an order of its own, until the time is over."""
    dice, chain = random.Random(name), Chain(name)
    sink = PostgresSink(PostgresConfig.model_validate({"dsn": dsn, "rollup_days": 0}))
    async with hosted(sink, directory):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            keys = dice.sample(range(KEYS), KEYS)
            rows = [aggregate(f"pattern {key}", 1, at=dice.randrange(250)) for key in keys]
            await deliver(sink, chain.flush(rows), deadline=LONGEST, attempt=LONGEST)
    return chain


async def test_four_instances_on_the_same_keys(postgres_dsn: str, tmp_path: Path) -> None:
    chains = await asyncio.gather(*[write(f"instance {n}", postgres_dsn, tmp_path) for n in range(4)])
    connection = await asyncpg.connect(postgres_dsn)
    try:
        rows = await connection.fetch("SELECT count, (metadata->'user'->>'count')::int, tags FROM aggregated_logs")
        sent = sum(chain.sent for chain in chains)
        print(f"{sum(chain.sequence for chain in chains)} flushes of {KEYS} keys by four instances in {SECONDS:g} s")
        assert sum(row[0] for row in rows) == sent
        assert len(rows) == KEYS
        assert {row[0] for row in rows} == {row[1] for row in rows} == {sent // KEYS}, (
            "metadata is merged, not replaced"
        )
        await connection.execute("SELECT pg_stat_force_next_flush()")
        assert await connection.fetchval(DEADLOCKS) == 0
    finally:
        await connection.close()


async def test_the_test_notices_writers_that_do_not_sort(
    postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mutant: rows in the order in which they came."""

    def unsorted(aggregates: Any, max_samples: int) -> list[Row]:
        rows = rows_of(aggregates, max_samples)
        random.shuffle(rows)
        return rows

    monkeypatch.setattr("log_aggregator_postgres.writer.rows_of", unsorted)
    connection = await asyncpg.connect(postgres_dsn)
    writers = [asyncio.create_task(write(f"instance {n}", postgres_dsn, tmp_path, LONGEST)) for n in range(4)]
    try:
        async with asyncio.timeout(LONGEST):
            while not await connection.fetchval(DEADLOCKS):  # backends tell it about once a second
                await asyncio.sleep(0.1)
    finally:
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
        await connection.close()

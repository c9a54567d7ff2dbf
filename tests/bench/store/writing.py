"""What the summary costs the writer: CPU of PostgreSQL for the same flushes with it and without it, by turns.

    python -m tests.bench.store.writing [--rounds 6]

A flush is what 30 s of logs become, ten for each five minutes; what was noted is added up each minute.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable
from statistics import median
from unittest.mock import patch

import asyncpg
import psutil

from log_aggregator.sinks import Aggregate
from log_aggregator_postgres import PostgresConfig
from log_aggregator_postgres.hours import add_up_hours
from log_aggregator_postgres.migrations import migrate
from log_aggregator_postgres.pool import Pool
from log_aggregator_postgres.writer import Writer
from tests.bench.store.filling import now_hour
from tests.bench.store.rows import bucket_of
from tests.support.postgres import PostgresServer, create_database
from tests.support.sinks import Chain

FLUSHES, LOGS = 10, 300


class Side:
    """A database, and who writes to it."""

    def __init__(self, dsn: str) -> None:
        self.pool = Pool(PostgresConfig.model_validate({"dsn": dsn}))
        self.writer = Writer(self.pool, 8 * 1024 * 1024, 5, 300)
        self.dsn, self.chain = dsn, Chain()
        self.cpu: list[float] = []
        self.whole: list[float] = []


async def _nothing(*_: object) -> None:
    return None


async def run(server: PostgresServer, rounds: int) -> None:
    """Write by turns and print both."""
    with_it, without = Side(create_database(server)), Side(create_database(server))
    for side in (with_it, without):
        await migrate(side.pool)
    summing = await asyncpg.connect(with_it.dsn)
    for number in range(rounds):
        for side in (with_it, without) if number % 2 else (without, with_it):
            flushes = [list(bucket_of(now_hour() + number * 300, LOGS, number * 100 + n)) for n in range(FLUSHES)]
            before, own = _cpu(server), time.process_time()
            await _write(side, flushes, summing if side is with_it else None)
            side.cpu.append(_cpu(server) - before)
            side.whole.append(side.cpu[-1] + time.process_time() - own)
    for name in ("cpu", "whole"):
        pairs = zip(getattr(with_it, name), getattr(without, name), strict=True)
        ratios = sorted(a / b for a, b in pairs)
        sys.stdout.write(f"{name}: {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})\n")
    await summing.close()
    for side in (with_it, without):
        await side.pool.close()


async def _write(side: Side, flushes: Iterable[list[Aggregate]], summing: asyncpg.Connection | None) -> None:
    for number, rows in enumerate(flushes):
        if summing is not None:
            await side.writer.store(side.chain.flush(rows))
            if number % 2:
                async with summing.transaction():
                    await add_up_hours(summing)
        else:
            with patch("log_aggregator_postgres.rows.note_hours", _nothing):
                await side.writer.store(side.chain.flush(rows))


def _cpu(server: PostgresServer) -> float:
    """CPU seconds of the server; connections stay open, so none is lost."""
    assert server.process is not None
    times = [process.cpu_times() for process in psutil.Process(server.process.pid).children(recursive=True)]
    return sum(one.user + one.system for one in times)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.store.writing")
    parser.add_argument("--rounds", type=int, default=6)
    asked = parser.parse_args()
    server = PostgresServer({"fsync": "on", "autovacuum": "off"}).start()
    try:
        asyncio.run(run(server, asked.rounds))
    finally:
        server.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())

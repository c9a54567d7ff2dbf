"""How long PostgreSQL takes for flushes of 10 to 10,000 aggregates, and what exactly-once costs of that.

Run: `python tests/bench/bench_postgres.py`. One server, started here with fsync on; writers take turns, so
a busy machine slows all of them alike.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil

from log_aggregator import Aggregate, Flush
from log_aggregator_postgres import PostgresConfig
from log_aggregator_postgres.migrations import migrate
from log_aggregator_postgres.pool import Pool
from log_aggregator_postgres.rows import Written
from log_aggregator_postgres.writer import PIECE, Writer
from tests.servers.postgres import PostgresServer
from tests.servers.sinks import Chain, aggregate

SIZES = {10: 100, 100: 50, 1000: 15, 10_000: 3}


class AtLeastOnce(Writer):
    """The same transaction without the progress: what exactly-once is compared with."""

    async def _attempt(self, flush: Flush, rows: list) -> Written:  # type: ignore[type-arg]
        async with self._pool.transaction() as connection:
            written: Written = []
            for start in range(0, len(rows), PIECE):
                written += await self._write(connection, rows[start : start + PIECE])
        return written


def groups(size: int, n: int, *, bare: bool, name: str = "pattern") -> list[Aggregate]:
    """The groups of one flush: with metadata, samples, a category and a tag, or bare counts."""
    more = {"metadata": {}, "categories": {}, "tags": {}} if bare else {}
    return [aggregate(f"{name} {i} of {size}", 3, at=n % 250, **more) for i in range(size)]


async def measure(server: PostgresServer) -> None:
    pool = Pool(PostgresConfig.model_validate({"dsn": server.dsn()}))
    await migrate(pool)
    names = ("aggregates", "", "median ms", "p95 ms", "rows/s", "server µs/row", "our µs/row")
    print(" ".join(f"{name:>13}" for name in names), "(µs of CPU)")
    for bare in (False, True):
        for size, rounds in SIZES.items():
            await one_size(server, pool, size, rounds, bare=bare)
    await overhead(pool)
    await pool.close()


async def one_size(server: PostgresServer, pool: Pool, size: int, rounds: int, *, bare: bool) -> None:
    writer, chain = Writer(pool, 64 * 2**20, 5, 300), Chain(f"{size} {bare}")
    seconds, ours, theirs = [], 0.0, 0.0
    for n in range(rounds + 2):
        flush = chain.flush(groups(size, n, bare=bare))
        before, started, used = server_cpu(server), time.perf_counter(), time.process_time()
        await writer.store(flush)
        if n >= 2:
            seconds.append(time.perf_counter() - started)
            ours += time.process_time() - used
            theirs += server_cpu(server) - before
    seconds.sort()
    median, rows = statistics.median(seconds), size * rounds
    p95 = seconds[int(rounds * 0.95)]
    figures = (median * 1000, p95 * 1000, size / median, theirs / rows * 1e6, ours / rows * 1e6)
    print(f"{size:>13} {'bare' if bare else 'rich':>13}", " ".join(f"{figure:>13.2f}" for figure in figures))


async def overhead(pool: Pool) -> None:
    """Both writers in turn on rows of their own: how much longer the same upsert takes with the progress."""
    writers = [Writer(pool, 64 * 2**20, 5, 300), AtLeastOnce(pool, 64 * 2**20, 5, 300)]
    chains = [Chain("exactly once"), Chain("without progress")]
    pairs: list[tuple[float, float]] = []
    for n in range(62):
        seconds = [0.0, 0.0]
        for which in (0, 1) if n % 2 else (1, 0):
            flush = chains[which].flush(groups(1000, n, bare=True, name=chains[which].instance))
            started = time.perf_counter()
            await writers[which].store(flush)
            seconds[which] = time.perf_counter() - started
        pairs.append((seconds[0], seconds[1]))
    ratio = statistics.median(once / without for once, without in pairs[2:])
    once, without = (statistics.median(column) * 1000 for column in zip(*pairs[2:], strict=True))
    print(
        f"1,000 rows: exactly once {once:.1f} ms, without progress {without:.1f} ms; median overhead {ratio - 1:+.1%}"
    )


def server_cpu(server: PostgresServer) -> float:
    """CPU seconds of the server and all its processes so far."""
    assert server.process is not None
    main = psutil.Process(server.process.pid)
    total = 0.0
    for process in [main, *main.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


if __name__ == "__main__":
    postgres = PostgresServer({"fsync": "on"})
    try:
        postgres.start()
        asyncio.run(measure(postgres))
    finally:
        postgres.remove()

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

from log_aggregator.sinks import Aggregate, Flush
from log_aggregator_postgres import PostgresConfig
from log_aggregator_postgres.migrations import migrate
from log_aggregator_postgres.pool import Pool
from log_aggregator_postgres.rows import Written
from log_aggregator_postgres.writer import PIECE, Writer
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import Options, Row, shown
from tests.support.postgres import PostgresServer
from tests.support.sinks import Chain, aggregate

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


def rows(_: Options, progress: Progress) -> list[Row]:
    """A line for each size of flush, rich and bare, and one for what exactly-once adds."""
    postgres = PostgresServer({"fsync": "on"})
    try:
        postgres.start()
        return asyncio.run(_measure(postgres, progress))
    finally:
        postgres.remove()


async def _measure(server: PostgresServer, progress: Progress) -> list[Row]:
    pool = Pool(PostgresConfig.model_validate({"dsn": server.dsn()}))
    await migrate(pool)
    found = []
    for bare in (False, True):
        for size, rounds in SIZES.items():
            progress.step(f"flushes into PostgreSQL: {size:,} aggregates, {'bare' if bare else 'rich'}")
            found.append(await _one_size(server, pool, size, rounds, bare=bare))
    progress.step("flushes into PostgreSQL: exactly once against without progress")
    found.append(await _overhead(pool))
    await pool.close()
    return found


async def _one_size(server: PostgresServer, pool: Pool, size: int, rounds: int, *, bare: bool) -> Row:
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
    aggregates = size * rounds
    figures = {
        "median_ms": statistics.median(seconds) * 1000,
        "p95_ms": seconds[int(rounds * 0.95)] * 1000,
        "rows_per_second": size / statistics.median(seconds),
        "database_cpu_us_per_row": theirs / aggregates * 1e6,
        "our_cpu_us_per_row": ours / aggregates * 1e6,
    }
    times = f"{figures['median_ms']:.1f} ms (p95 {figures['p95_ms']:.1f}), {figures['rows_per_second']:,.0f} rows/s"
    theirs, ours = figures["database_cpu_us_per_row"], figures["our_cpu_us_per_row"]
    measured = f"{times}; CPU per row: PostgreSQL {theirs:.0f} µs, ours {ours:.0f} µs"
    what = f"flush of {size:,} {'bare' if bare else 'rich'} aggregates into PostgreSQL"
    return Row(what, "", measured, None, figures)


async def _overhead(pool: Pool) -> Row:
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
    measured = f"{ratio - 1:+.1%}: {once:.1f} ms, without progress {without:.1f} ms"
    figures = {"ratio": ratio, "exactly_once_ms": once, "without_progress_ms": without}
    return Row("what exactly-once adds to a flush of 1,000 bare aggregates", "", measured, None, figures)


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
    print(shown(rows(Options(), Progress())))

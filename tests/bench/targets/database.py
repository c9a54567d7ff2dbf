"""What a log costs until it is stored in PostgreSQL, the database included: batches of 1000, unseen lines."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import NamedTuple

import asyncpg

from tests.bench import candidates, corpus, load
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import LOAD_CORE, SERVER_CORE, Options, Row, Spread, spread
from tests.support.postgres import PostgresServer

WANTED = 0.4
OBVIOUS = "2.5 to 3"
SIZE, CONNECTIONS = 1000, 8
DIFFERENT_BODIES = 28
"""Bodies before the same lines come again with other digits: all lines of the corpus twice."""

DEFAULTS = {"fsync": "on", "shared_buffers": "128MB"}
"""What PostgreSQL does by itself, and the servers of the tests do not."""


class Contender(NamedTuple):
    """A server, the database of its own, and the table it fills."""

    server: candidates.Server
    dsn: str
    table: str


def rows(options: Options, progress: Progress) -> list[Row]:
    """Both in turn, each with a PostgreSQL of its own; a run ends when everything that was sent is stored.

    The CPU seconds are those of the server and of all processes of its database, from the first request until
    `POST /flush` is answered. Raises `RuntimeError` when the table then does not hold what was acknowledged.
    """
    bodies = corpus.bodies(DIFFERENT_BODIES, SIZE)
    runs: dict[str, list[dict[str, float]]] = {}
    with ExitStack() as stack:
        contenders = {"ours": _ours(stack)}
        if not candidates.baseline_missing():
            contenders["obvious"] = _obvious(stack)
        for contender in contenders.values():
            measure(contender, bodies, 1.0)  # warm: no line of it comes again
        for number in range(options.rounds):
            for name, contender in contenders.items():
                progress.step(f"CPU into PostgreSQL: round {number + 1} of {options.rounds}, {name}")
                runs.setdefault(name, []).append(measure(contender, bodies, options.seconds))
    found = {name: spread(run["cpu_seconds_per_100k"] for run in figures) for name, figures in runs.items()}
    return [_ours_row(found["ours"].median, f"{found['ours']} s", runs), *_obvious_rows(found, runs)]


def measure(contender: Contender, bodies: list[bytes], seconds: float) -> dict[str, float]:
    """One run: CPU seconds per 100,000 logs, of the server, of the database and of both."""
    server = contender.server
    before = stored(contender.dsn, contender.table)
    cpu, database = server.cpu(), server.database_cpu()
    sent = load.run(load.Load(f"{server.url}/ingest/batch", bodies, CONNECTIONS, seconds, anew=True), LOAD_CORE)
    began = time.perf_counter()
    candidates.flush(server)
    took = sent.seconds + time.perf_counter() - began
    used, database_used = server.cpu() - cpu, server.database_cpu() - database
    now = stored(contender.dsn, contender.table) - before
    if now != sent.accepted or not now:
        raise RuntimeError(f"{contender.table}: {sent.accepted:,} logs acknowledged, {now:,} stored")
    return {
        "logs": sent.accepted,
        "logs_per_second": sent.accepted / took,
        "server_cpu_seconds_per_100k": 1e5 * used / sent.accepted,
        "database_cpu_seconds_per_100k": 1e5 * database_used / sent.accepted,
        "cpu_seconds_per_100k": 1e5 * (used + database_used) / sent.accepted,
        "failed": sent.failed,
    }


def stored(dsn: str, table: str, where: str = "true") -> int:
    """How many logs the rows of a table stand for; 0 where there is no such table yet."""

    async def ask() -> int:
        connection = await asyncpg.connect(dsn, timeout=30)
        try:
            return int(await connection.fetchval(f"SELECT coalesce(sum(count), 0) FROM {table} WHERE {where}"))
        except asyncpg.UndefinedTableError:
            return 0
        finally:
            await connection.close()

    return asyncio.run(ask())


def _database(stack: ExitStack) -> tuple[str, int]:
    server = PostgresServer(DEFAULTS)
    stack.callback(server.remove)
    server.start()
    assert server.process is not None
    return server.dsn(), server.process.pid


def _ours(stack: ExitStack) -> Contender:
    dsn, database = _database(stack)
    server = stack.enter_context(candidates.ours(SERVER_CORE, store="postgres", dsn=dsn, database=database))
    return Contender(server, dsn, "aggregated_logs")


def _obvious(stack: ExitStack) -> Contender:
    dsn, database = _database(stack)
    server = stack.enter_context(candidates.script("baseline_fastapi", SERVER_CORE, dsn, database=database))
    return Contender(server, dsn, "baseline_logs")


def _ours_row(median: float, measured: str, runs: dict[str, list[dict[str, float]]]) -> Row:
    what = "total CPU per 100 k logs into PostgreSQL, database included, batches of 1000, unseen lines"
    return Row(what, f"<= {WANTED} s", measured, median <= WANTED, {"runs": runs})


def _obvious_rows(found: dict[str, Spread], runs: dict[str, list[dict[str, float]]]) -> list[Row]:
    if "obvious" not in found:
        lacks = ", ".join(candidates.baseline_missing())
        return [Row("the same, obvious implementation", f"{OBVIOUS} s", f"not installed: {lacks}", None, {})]
    pairs = zip(runs["ours"], runs["obvious"], strict=True)
    ratio = spread(b["cpu_seconds_per_100k"] / a["cpu_seconds_per_100k"] for a, b in pairs)
    measured = f"{found['obvious']} s; ours is {ratio} times cheaper"
    return [Row("the same, obvious implementation", f"{OBVIOUS} s", measured, None, {"ratio": ratio._asdict()})]

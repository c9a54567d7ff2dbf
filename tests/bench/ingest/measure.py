"""One run after the other: a service is loaded, and what it has used until everything is stored is noted."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, ExitStack
from typing import NamedTuple

from tests.bench import candidates, corpus, load
from tests.bench.candidates import Server
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import LOAD_CORE, SERVER_CORE

DIFFERENT_LOGS = 200_000
Runs = dict[str, list[dict[str, float]]]
"""Contender → the figures of its runs, in the order of the rounds."""


class Shape(NamedTuple):
    """How logs are sent."""

    name: str
    size: int
    connections: int
    lines: bool = False


SHAPES = (
    Shape("single", 1, 64),
    Shape("batches of 100", 100, 16),
    Shape("batches of 100, NDJSON", 100, 16, lines=True),
    Shape("batches of 1000", 1000, 8),
    Shape("batches of 1000, NDJSON", 1000, 8, lines=True),
)


class Database(NamedTuple):
    """The PostgreSQL that is written to: its address and its first process. Without one: SQLite."""

    dsn: str = ""
    pid: int | None = None

    @property
    def store(self) -> str:
        """The plugin that writes to it."""
        return "postgres" if self.dsn else "sqlite"


def measure(server: Server, shape: Shape, seconds: float, bodies: list[bytes]) -> dict[str, float]:
    """One run: figures of the server while it is loaded, and until all that was sent is stored.

    What it has acknowledged but not yet worked off is paid for in this run, not by the one that comes next.
    """
    path = "/ingest" if shape.size == 1 else "/ingest/batch"
    kind = "application/x-ndjson" if shape.lines else "application/json"
    cpu, database = server.cpu(), server.database_cpu()
    outcome = load.run(load.Load(server.url + path, bodies, shape.connections, seconds, kind), LOAD_CORE)
    began = time.perf_counter()
    if server.stores:
        candidates.flush(server)
    drained = time.perf_counter() - began
    logs = outcome.requests * shape.size
    used = max(server.cpu() - cpu, 0.01)
    return {
        "logs_per_second": logs / outcome.seconds,
        "logs_per_cpu_second": logs / used,
        "cpu_seconds_per_100k": 100_000 * used / max(logs, 1),
        "database_cpu_seconds_per_100k": 100_000 * (server.database_cpu() - database) / max(logs, 1),
        "p50_ms": outcome.p50,
        "p99_ms": outcome.p99,
        "drained_seconds": drained,
        "generator_cpu_share": outcome.cpu / outcome.seconds,
        "resident_bytes": server.memory(),
        "failed": outcome.failed,
    }


def run(shape: Shape, seconds: float, rounds: int, database: Database, progress: Progress) -> Runs:
    """Every contender in turn, `rounds` times, the first one changing."""
    bodies = corpus.bodies(max(32, min(DIFFERENT_LOGS // shape.size, 20_000)), shape.size, lines=shape.lines)
    runs: Runs = {}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(one) for name, one in _contenders(shape, database).items()}
        for name, server in servers.items():
            progress.step(f"{database.store}, {shape.name}: warming up, {name}")
            measure(server, shape, min(1.0, seconds), bodies)
            runs[name] = []
        for number in range(rounds):
            for name in list(servers)[:: -1 if number % 2 else 1]:
                progress.step(f"{database.store}, {shape.name}: round {number + 1} of {rounds}, {name}")
                runs[name].append(measure(servers[name], shape, seconds, bodies))
    return runs


def _contenders(shape: Shape, database: Database) -> dict[str, AbstractContextManager[Server]]:
    """Name → how to start it; ours is the first. The obvious implementation takes JSON only."""
    store, dsn, pid = database.store, database.dsn, database.pid
    found: dict[str, AbstractContextManager[Server]] = {
        "ours, durable": candidates.ours(SERVER_CORE, store=store, dsn=dsn, database=pid),
        "ours, memory": candidates.ours(SERVER_CORE, store=store, dsn=dsn, database=pid, DURABILITY="memory"),
        "bare aiohttp": candidates.script("baseline_aiohttp", SERVER_CORE, stores=False),
    }
    if not shape.lines and not candidates.baseline_missing():
        found["obvious"] = candidates.script("baseline_fastapi", SERVER_CORE, *([dsn] if dsn else []), database=pid)
    return found

"""How soon everything is stored after an outage: a million logs are acknowledged while PostgreSQL is stopped."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections import Counter
from contextlib import ExitStack

import asyncpg

from tests.bench import candidates, load
from tests.bench.targets import made_up
from tests.bench.targets.database import DEFAULTS
from tests.bench.targets.progress import Progress
from tests.bench.targets.row import LOAD_CORE, SERVER_CORE, Options, Row, spread
from tests.support.postgres import PostgresServer

WANTED = 10.0
SIZE, CONNECTIONS = 1000, 8
SLOWEST = 5000
"""Logs a second below which sending is given up."""

GIVEN_UP = 180.0
"""Seconds after which nothing more is expected to come: several times the longest pause between two tries."""

MOST_ROUNDS = 3
"""More take longer than they are worth."""

LOOK_EVERY = 0.05
STAYS = 1.0
"""Seconds after which the sum is read once more: it must not have grown past what was sent."""


def rows(options: Options, progress: Progress) -> list[Row]:
    """Twice: the service finds by itself that the database is back; and somebody asks it with `POST /flush`.

    By itself, the pause between two tries (up to 2 s while connections are refused) is in the figure.

    Measured from the moment at which the server accepts connections until the sum of `count` is what was
    acknowledged, not one more or less, for each source. Raises `RuntimeError` when it never is.
    """
    bodies = made_up.bodies(max(1, options.outage_logs // SIZE), SIZE)
    return [_row(options, bodies, progress, asked=asked) for asked in (False, True)]


def _row(options: Options, bodies: list[bytes], progress: Progress, *, asked: bool) -> Row:
    by = "after POST /flush" if asked else "by itself"
    seconds, rounds = [], min(options.rounds, MOST_ROUNDS)
    for number in range(rounds):
        name = f"outage, {by}: round {number + 1} of {rounds}"
        progress.step(name)
        seconds.append(_outage(bodies, name, progress, asked=asked))
    found = spread(seconds)
    what = f"{len(bodies) * SIZE:,} logs acknowledged while PostgreSQL is stopped: caught up {by}"
    measured = f"{found} s, exact each time"
    return Row(what, f"<= {WANTED:.0f} s, exact", measured, found.highest <= WANTED, {"seconds": seconds})


def _outage(bodies: list[bytes], name: str, progress: Progress, *, asked: bool) -> float:
    """One outage with a database and a service of its own; seconds until everything is stored."""
    with ExitStack() as stack:
        database = PostgresServer(DEFAULTS)
        stack.callback(database.remove)
        dsn = database.start().dsn()
        server = stack.enter_context(candidates.ours(SERVER_CORE, store="postgres", dsn=dsn))
        asyncio.run(_ready(dsn))
        database.stop()
        expected = _send(server, bodies, name, progress)
        progress.step(f"{name}, starting PostgreSQL")
        database.start()
        began = time.perf_counter()
        if asked:
            request = urllib.request.Request(f"{server.url}/flush?deadline=0", method="POST")
            urllib.request.urlopen(request, timeout=60).close()
        return asyncio.run(_caught_up(dsn, expected, began))


def _send(server: candidates.Server, bodies: list[bytes], name: str, progress: Progress) -> Counter[str]:
    """Send every body once; how many logs of each source were acknowledged: all of them."""
    logs = len(bodies) * SIZE
    todo = load.Load(
        f"{server.url}/ingest/batch", bodies, CONNECTIONS, seconds=60 + logs / SLOWEST, requests=len(bodies)
    )
    sent = load.run(todo, LOAD_CORE, lambda told: progress.bar(name, told.requests * SIZE, logs))
    if sent.accepted != logs:
        raise RuntimeError(f"of {logs:,} logs {sent.accepted:,} were acknowledged; expected all")
    return Counter(made_up.source(number % made_up.PATTERNS) for number in range(logs))


async def _ready(dsn: str) -> None:
    """Wait until the service has made its tables: the outage strikes one that runs."""
    connection = await asyncpg.connect(dsn, timeout=30, command_timeout=60)
    deadline = time.monotonic() + GIVEN_UP
    try:
        while await connection.fetchval("SELECT to_regclass('aggregated_logs')") is None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the service has made no tables within {GIVEN_UP:.0f} s")
            await asyncio.sleep(LOOK_EVERY)
    finally:
        await connection.close()


async def _caught_up(dsn: str, expected: Counter[str], began: float) -> float:
    connection = await asyncpg.connect(dsn, timeout=30, command_timeout=60)
    try:
        while (found := await _stored(connection)) != expected:
            if found.total() > expected.total() or time.perf_counter() - began > GIVEN_UP:
                raise RuntimeError(f"acknowledged {expected}, stored {found}")
            await asyncio.sleep(LOOK_EVERY)
        took = time.perf_counter() - began
        await asyncio.sleep(STAYS)
        if (found := await _stored(connection)) != expected:
            raise RuntimeError(f"acknowledged {expected}, stored afterwards {found}")
        return took
    finally:
        await connection.close()


async def _stored(connection: asyncpg.Connection) -> Counter[str]:
    rows = await connection.fetch("SELECT source, sum(count) AS logs FROM aggregated_logs GROUP BY source")
    return Counter({row["source"]: int(row["logs"]) for row in rows})

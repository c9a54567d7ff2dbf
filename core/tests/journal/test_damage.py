"""Damaged journals: they open, keep what can be kept, and say what is lost."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from log_aggregator.journal import Entry, encode
from log_aggregator.journal.database import OpenJournal, open_journal
from log_aggregator.journal.intake import Intake
from log_aggregator.model.record import Record
from log_aggregator.storekit.watch import FileWatch

ROWS = 60
LOGS = 5


def payload(number: int) -> bytes:
    return encode([Record(f"row {number} log {log} {'x' * 300}", "INFO", "test", 1, {}) for log in range(LOGS)])


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a journal as a kill leaves them: rows in the main file, and more in the write-ahead log."""
    live, left = tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("left")
    journal = open_journal(live)
    intake = Intake(100)
    for number in range(ROWS):
        with journal.connection:
            journal.connection.execute("BEGIN IMMEDIATE")
            intake.append(journal.connection, [Entry(payload(number), LOGS)])
        if number == ROWS // 3:
            journal.connection.execute("PRAGMA wal_checkpoint(RESTART)")
    for suffix in ("", "-wal"):
        shutil.copy(live / f"journal.sqlite3{suffix}", left)
    journal.connection.close()
    journal.lock.close()
    return left


def copied(crashed: Path, directory: Path) -> Path:
    shutil.copytree(crashed, directory)
    return directory


def opened(directory: Path) -> tuple[OpenJournal, list[bytes]]:
    journal = open_journal(directory)
    rows = [row[0] for row in journal.connection.execute("SELECT payload FROM intake ORDER BY position")]
    journal.connection.close()
    journal.lock.close()
    return journal, rows


WRITTEN = [payload(number) for number in range(ROWS)]


def test_a_journal_that_was_killed_is_whole(crashed: Path, tmp_path: Path) -> None:
    journal, rows = opened(copied(crashed, tmp_path / "data"))
    assert (rows, journal.damage) == (WRITTEN, "")


@pytest.mark.parametrize("seed", range(60))
def test_a_flipped_bit_costs_a_few_rows_and_is_said(crashed: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    data = copied(crashed, tmp_path / "data")
    file = data / f"journal.sqlite3{chance.choice(['-wal', '-wal', ''])}"
    content = bytearray(file.read_bytes())
    place = chance.randrange(len(content))
    content[place] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    journal, rows = opened(data)
    assert set(rows) <= set(WRITTEN), "what is given out was written"
    missing = ROWS - len(rows)
    if missing:
        assert journal.damage, f"{missing} rows are gone, and nothing says so"
    if file.name.endswith("-wal"):
        assert missing <= 12, "a bit costs what one page holds, not all that lies behind it"
    again, rows_again = opened(data)
    assert (rows_again, again.damage) == (rows, ""), "the next start finds a whole journal"


@pytest.mark.parametrize("seed", range(30))
def test_a_file_that_was_cut_opens(crashed: Path, tmp_path: Path, seed: int) -> None:
    """A log that ends where a transaction ends is an older journal: that cannot be seen."""
    chance = random.Random(seed)
    data = copied(crashed, tmp_path / "data")
    suffix = chance.choice(["-wal", ""])
    file = data / f"journal.sqlite3{suffix}"
    size = chance.randrange(file.stat().st_size)
    with file.open("r+b") as cut:
        cut.truncate(size)
    journal, rows = opened(data)
    assert set(rows) <= set(WRITTEN)
    if not suffix and len(rows) < ROWS:
        assert journal.damage
    if suffix:
        assert rows == WRITTEN[: len(rows)], "a cut log is an older state"


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"not a database" * 1000)
    journal, rows = opened(tmp_path)
    assert (rows, "how many logs are lost is not known" in journal.damage) == ([], True)
    assert [path for path in tmp_path.iterdir() if "damaged" in path.name]


def test_damaged_rows_are_counted_with_their_times(crashed: Path, tmp_path: Path) -> None:
    data = copied(crashed, tmp_path / "data")
    with sqlite3.connect(data / "journal.sqlite3") as connection:
        connection.execute("UPDATE intake SET payload = x'00' WHERE position IN (3, 4)")
    connection.close()
    journal, rows = opened(data)
    assert rows == WRITTEN[:2] + WRITTEN[4:]
    assert f"lost: {2 * LOGS} logs, received from 20" in journal.damage


def test_a_journal_of_the_version_before_goes_on(tmp_path: Path) -> None:
    journal, _ = opened(tmp_path)
    with sqlite3.connect(tmp_path / "journal.sqlite3") as connection:
        for table, column in (("intake", "logs"), ("intake", "checksum"), ("outbox", "checksum")):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("INSERT INTO intake (received, payload) VALUES (1, ?)", (WRITTEN[0],))
        connection.execute("UPDATE meta SET version = 1")
    connection.close()
    again, rows = opened(tmp_path)
    assert (rows, again.damage, again.identity.instance) == (WRITTEN[:1], "", journal.identity.instance)


@pytest.mark.parametrize("name", ["journal.sqlite3", "journal.sqlite3-wal"])
def test_files_that_were_removed_or_replaced_are_noticed(tmp_path: Path, name: str) -> None:
    journal = open_journal(tmp_path)
    watch = FileWatch(journal.path)
    assert watch.problem() == ""
    (tmp_path / name).rename(tmp_path / "elsewhere")
    assert "No such file" in watch.problem()
    (tmp_path / name).write_bytes(b"")
    assert "another file lies in its place" in watch.problem()
    journal.connection.close()
    journal.lock.close()

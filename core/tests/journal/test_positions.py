"""Positions of receivers: durable together with the records that lie before them, or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from log_aggregator.errors import KeyReusedError
from log_aggregator.journal import Appended, Entry, JournalError, ReaderPosition, ReaderPositions
from log_aggregator.journal.database import open_journal
from log_aggregator.journal.intake import Intake
from log_aggregator.journal.positions import read_positions
from log_aggregator.journal.writer import Writer

HERE = ReaderPosition("files", "/var/log/a", b"100")


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    journal = open_journal(tmp_path)
    writer = Writer(journal.connection)
    yield writer
    await asyncio.to_thread(writer.close)
    journal.lock.close()


async def loaded(writer: Writer) -> ReaderPositions:
    return ReaderPositions(await writer.submit(read_positions))


async def rows(writer: Writer) -> int:
    return await writer.submit(lambda c: int(c.execute("SELECT count(*) FROM intake").fetchone()[0]))


async def test_a_position_is_there_with_its_records(writer: Writer) -> None:
    intake = Intake(10)
    entries = [
        Entry(b"x", 1, position=HERE),
        Entry(b"y", 1, position=HERE._replace(value=b"200")),
        Entry(b"z", 1, position=HERE._replace(plugin="other", value=b"5")),
    ]
    await writer.submit(lambda c: intake.append(c, entries))
    positions = await loaded(writer)
    assert positions.get("files", "/var/log/a") == b"200"
    assert positions.get("other", "/var/log/a") == b"5"
    assert positions.get("files", "/var/log/b") is None
    assert await rows(writer) == 3


async def test_a_transaction_that_fails_leaves_neither(writer: Writer) -> None:
    intake = Intake(10)

    def broken(connection: sqlite3.Connection) -> None:
        intake.append(connection, [Entry(b"x", 1, position=HERE)])
        connection.execute("INSERT INTO no_such_table VALUES (1)")

    with pytest.raises(JournalError):
        await writer.submit(broken)
    assert ((await loaded(writer)).get("files", "/var/log/a"), await rows(writer)) == (None, 0)


async def test_a_position_without_records_is_kept(writer: Writer) -> None:
    await writer.submit(lambda c: Intake(10).append(c, [Entry(None, 0, position=HERE._replace(value=b""))]))
    assert (await loaded(writer)).get("files", "/var/log/a") == b""


async def test_a_duplicate_moves_the_position_and_a_key_with_another_body_does_not(writer: Writer) -> None:
    intake = Intake(10)
    entries = [
        Entry(b"x", 1, "k", b"one"),
        Entry(b"x", 1, "k", b"one", HERE),
        Entry(b"y", 1, "k", b"two", HERE._replace(value=b"200")),
    ]
    first, again, reused = await writer.submit(lambda c: intake.append(c, entries))
    assert (first, again) == (Appended(1, 1), Appended(0, 1, duplicate=True))
    assert isinstance(reused, KeyReusedError)
    assert (await loaded(writer)).get("files", "/var/log/a") == b"100"


async def test_what_is_noted_is_known_without_reading() -> None:
    positions = ReaderPositions()
    positions.note(HERE)
    assert positions.get("files", "/var/log/a") == b"100"

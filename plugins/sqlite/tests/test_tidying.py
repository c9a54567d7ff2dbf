"""Indexes by time are written anew once a day, in files that are not large."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from log_aggregator_sqlite.database import migrate, use_wal
from log_aggregator_sqlite.tallies import counts_differ
from log_aggregator_sqlite.tidying import INDEXES, MOST_BYTES, tidy_step

INSERT = """
INSERT INTO aggregated_logs (message_pattern, level, source, first_seen, last_seen, bucket, bucket_seconds, pattern_id,
                             group_key)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
SELECT 'text', 'INFO', 'web', i * 1000000, i * 1000000, i / 300 * 300000000, 300, printf('%016x', i % 50),
       printf('%08d', i)
FROM n"""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A file of 20,000 rows of which every second was deleted."""
    with closing(sqlite3.connect(tmp_path / "logs.sqlite3", isolation_level=None)) as made:
        use_wal(made)
        migrate(made)
        made.execute(INSERT)
        made.execute("DELETE FROM aggregated_logs WHERE id % 2 = 0")
        yield made


def used_pages(connection: sqlite3.Connection) -> int:
    pages, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
    return int(pages - free)


def test_pages_become_free_and_the_rows_stay(connection: sqlite3.Connection) -> None:
    before, steps = used_pages(connection), 0
    while tidy_step(connection, 1):
        steps += 1
    assert steps == len(INDEXES)
    assert before - used_pages(connection) > 200
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert not counts_differ(connection)


def test_it_is_done_once_a_day_also_when_the_clock_went_back(connection: sqlite3.Connection) -> None:
    while tidy_step(connection, 1):
        pass
    day = 86_400 * 1_000_000
    for change in (-day, 2 * day):
        connection.execute("UPDATE store_facts SET value = value + ? WHERE name LIKE 'tidied %'", (change,))
        assert sum(iter(lambda: tidy_step(connection, 1), 0)) == len(INDEXES)
    assert not tidy_step(connection, 1)


def test_a_large_file_is_left_as_it_is(connection: sqlite3.Connection) -> None:
    assert not tidy_step(connection, MOST_BYTES + 1)


def test_each_index_is_there_and_led_by_time(connection: sqlite3.Connection) -> None:
    for name in INDEXES:
        (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        assert "_seen" in sql
        assert "pattern_id" not in sql

"""A file of the version before gets the newest schema: its rows stay, are merged with new ones, and are read."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from log_aggregator.model.summary import to_json
from log_aggregator.store import SeriesQuery
from log_aggregator.storekit import group_key
from log_aggregator_sqlite import SqliteSink
from log_aggregator_sqlite.database import PAGE_BYTES, use_wal
from log_aggregator_sqlite.tallies import counts_differ
from tests.support.sinks import NOON, SECOND, Chain, aggregate, all_patterns, deliver, hosted, total

MIGRATIONS = files("log_aggregator_sqlite").joinpath("migrations")
NEWEST = max(int(entry.name[:4]) for entry in MIGRATIONS.iterdir() if entry.name.endswith(".sql"))
ORIGINALS_INSERT = """
INSERT INTO aggregated_logs (message_pattern, count, level, source, first_seen, last_seen, metadata, sample_messages,
                             bucket, bucket_seconds, pattern_id, group_key)
VALUES ('theirs', 5, 'INFO', 'old-service', ?, ?, '{}', '["theirs"]', ?, 300, 'ffffffffffffffff', x'00')"""


def before(path: Path, number: int) -> sqlite3.Connection:
    """A file with the migrations up to `number`."""
    connection = sqlite3.connect(path)
    for entry in sorted(MIGRATIONS.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql") and int(entry.name[:4]) <= number:
            connection.executescript(entry.read_text())
    connection.execute(f"PRAGMA user_version = {number}")
    return connection


@pytest.mark.parametrize("number", range(1, NEWEST))
async def test_a_file_of_every_earlier_version_is_brought_up(tmp_path: Path, number: int) -> None:
    """Its rows are in all sums, and rows that come are added to them."""
    start = NOON * SECOND
    with before(tmp_path / "logs.sqlite3", number) as connection:
        connection.execute(ORIGINALS_INSERT, (start, start, start))
    connection.close()
    sink = SqliteSink(SqliteSink.Config(rollup_days=0, retention_days=0))
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, Chain().flush([aggregate("ours", 3), aggregate("ours", 2, source="db")]))
        counts = {row.pattern: row.count for row in await all_patterns(host.store)}
        assert counts == {"theirs": 5, "ours": 5}
        always = {"since": start, "until": start + 3600 * SECOND, "step": 3600}
        (line,) = await host.store.series(SeriesQuery(**always))
        assert line.total == 10
        assert await total(host.store, level="INFO") == await total(host.store, since=0) == 10


async def test_rows_from_before_are_merged_and_read(tmp_path: Path) -> None:
    fresh = aggregate("User {ID} logged in", 3, at=60)
    start = fresh.bucket * SECOND
    with before(tmp_path / "logs.sqlite3", 2) as connection:
        connection.execute(
            "INSERT INTO aggregated_logs (pattern_id, bucket, group_key, bucket_seconds, message_pattern, level, "
            "source, count, first_seen, last_seen, metadata, sample_messages, latest_sample, categories, category, "
            """tags) VALUES (?, ?, ?, 300, ?, 'INFO', 'web', 4, ?, ?, ?, '["User 1 logged in"]', 0, '{"login": 4}', """
            """'login', '{"auth": 4}')""",
            (
                fresh.pattern_id, start, group_key(fresh.key), fresh.pattern, start, start,
                json.dumps(to_json(fresh.metadata)),
            ),
        )  # fmt: skip
        connection.execute(ORIGINALS_INSERT, (start, start, start))
    connection.close()
    sink = SqliteSink(SqliteSink.Config(rollup_days=0))
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, Chain().flush([fresh]))
        assert await total(host.store) == 12
        detail = await host.store.pattern(fresh.pattern_id)
        assert detail is not None
        assert (detail.count, detail.metadata["user"]["count"], detail.variables["ID"]["count"]) == (7, 6, 3)
        assert [(log.message, log.time, log.metadata) for log in detail.sample_logs] == [
            ("User {ID} logged in at 60", fresh.last_seen, {"user": "u60"}),
            ("User 1 logged in", start, {}),
        ]
        with sqlite3.connect(tmp_path / "logs.sqlite3") as connection:
            rows = connection.execute("SELECT count, minutes FROM aggregated_logs ORDER BY count").fetchall()
        connection.close()
        assert rows == [(5, None), (7, "[0,3]")]


async def test_long_group_keys_become_short_where_rows_may_grow(tmp_path: Path) -> None:
    """Rows that are older keep theirs: a late log makes a row beside one, and roll-up joins them."""
    path, now = tmp_path / "logs.sqlite3", int(time.time()) // 300 * 300
    of_time = [
        msgspec.structs.replace(aggregate("p", 3), bucket=at, first_seen=at * SECOND, last_seen=at * SECOND + 9)
        for at in (now - 10 * 86_400, now)
    ]
    with before(path, 10) as connection:
        for one in of_time:
            connection.execute(
                "INSERT INTO aggregated_logs (pattern_id, bucket, group_key, bucket_seconds, message_pattern, level, "
                "source, count, first_seen, last_seen, metadata) VALUES (?, ?, ?, 300, ?, 'INFO', 'web', 3, ?, ?, ?)",
                (
                    one.pattern_id, one.bucket * SECOND, group_key(one.key), one.pattern, one.first_seen, one.last_seen,
                    json.dumps(to_json(one.metadata)),
                ),
            )  # fmt: skip
    connection.close()
    keys = "SELECT length(group_key), count FROM aggregated_logs ORDER BY bucket, length(group_key)"
    sink = SqliteSink(SqliteSink.Config(maintenance_seconds=3600))
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, Chain().flush(of_time))
        assert await total(host.store) == 12
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute(keys).fetchall() == [(8, 3), (16, 3), (8, 6)]
            assert not counts_differ(connection)
        assert sink._database is not None
        assert sink._writer is not None
        await sink.maintain_once(sink._database, sink._writer, 5)
        with closing(sqlite3.connect(path)) as connection:
            assert [count for _, count in connection.execute(keys)] == [6, 6]
            assert connection.execute("SELECT count(*) FROM pattern_details").fetchone() == (1,)
            assert not counts_differ(connection)
        detail = await host.store.pattern(of_time[0].pattern_id)
        assert detail is not None
        assert (detail.count, detail.metadata["user"]["count"]) == (12, 12)


def facts(path: Path) -> tuple[int, set[str]]:
    """The bytes of a page, and the indexes of the rows."""
    with sqlite3.connect(path) as connection:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'aggregated_logs'"
        )
        indexes = {name for (name,) in names}
    connection.close()
    return page, indexes


async def test_new_files_have_small_pages_and_earlier_ones_keep_theirs(tmp_path: Path) -> None:
    new, earlier = tmp_path / "new", tmp_path / "earlier"
    for place in (new, earlier):
        place.mkdir()
    before(earlier / "logs.sqlite3", 9).close()
    for place in (new, earlier):
        async with hosted(SqliteSink(SqliteSink.Config()), place) as host:
            assert (await host.store.health()).reachable
    (page, indexes), (page_before, indexes_before) = (facts(place / "logs.sqlite3") for place in (new, earlier))
    assert (page, page_before) == (PAGE_BYTES, 4096)
    assert indexes == indexes_before
    assert not indexes & {"idx_aggregated_logs_level", "idx_aggregated_logs_source"}


def test_a_connection_waits_for_the_one_that_makes_the_file(tmp_path: Path) -> None:
    """SQLite itself does not wait here: the first question after a start failed when it met the first write."""
    path = tmp_path / "logs.sqlite3"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    threading.Timer(0.2, other.execute, ["COMMIT"]).start()
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    use_wal(connection)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    other.close()

"""A damaged file or log is mended or rebuilt when it is opened, and `/health` says what is lost."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from log_aggregator.errors import RetryableError
from log_aggregator_sqlite import SqliteSink
from log_aggregator_sqlite.damage import mend_file, open_file
from log_aggregator_sqlite.database import marker_of
from tests.support.sinks import Chain, aggregate, deliver, hosted, total

FLUSHES = 12


def make() -> SqliteSink:
    return SqliteSink(SqliteSink.Config(rollup_days=0, retention_days=0))


@pytest.fixture
async def left(tmp_path: Path) -> Path:
    """The directory of a service that was killed: twelve flushes of two logs, all in the log."""
    live, left = tmp_path / "live", tmp_path / "left"
    left.mkdir()
    live.mkdir()
    sink, chain = make(), Chain()
    async with hosted(sink, live):
        for step in range(FLUSHES):
            await deliver(sink, chain.flush([aggregate(f"Step {step}", 2, at=step)]))
        for suffix in ("", "-wal"):
            shutil.copy(live / f"logs.sqlite3{suffix}", left)
    return left


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def stored(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT coalesce(sum(count), 0) FROM aggregated_logs").fetchone()[0])


def middle_of_the_log(left: Path) -> int:
    return (left / "logs.sqlite3-wal").stat().st_size // 2


async def test_a_flipped_bit_in_the_log_costs_nothing_behind_it(left: Path) -> None:
    flip(left / "logs.sqlite3-wal", middle_of_the_log(left))
    async with hosted(make(), left) as host:
        assert await total(host.store) == 2 * FLUSHES
        assert "damaged write-ahead log" in await host.checks["sqlite file"]()
    async with hosted(make(), left) as host:
        assert await host.checks["sqlite file"]() is None


def test_without_the_look_the_same_bit_loses_logs_silently(left: Path) -> None:
    """The control: SQLite alone drops what lies behind the bit."""
    flip(left / "logs.sqlite3-wal", middle_of_the_log(left))
    assert stored(left / "logs.sqlite3") < 2 * FLUSHES


@pytest.mark.parametrize("command", ["progress", "quarantine"])
def test_a_command_that_opens_the_file_first_mends_it_too(
    left: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flip(left / "logs.sqlite3-wal", middle_of_the_log(left))
    program = f"from log_aggregator_sqlite.commands import main; raise SystemExit(main(['{command}']))"
    monkeypatch.setenv("DATA_DIR", str(left))
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)
    assert stored(left / "logs.sqlite3") == 2 * FLUSHES


async def test_a_file_that_is_no_database_is_set_aside_and_the_sink_goes_on(tmp_path: Path) -> None:
    (tmp_path / "logs.sqlite3").write_bytes(b"not a database" * 1000)
    sink = make()
    async with hosted(sink, tmp_path) as host:
        assert "how many are lost is not known" in await host.checks["sqlite file"]()
        await deliver(sink, Chain().flush([aggregate(count=3)]))
        assert await total(host.store) == 3
    assert [path for path in tmp_path.iterdir() if ".damaged-" in path.name]


async def test_a_count_that_a_bit_changed_is_set_right_from_the_sums(left: Path) -> None:
    with closing(sqlite3.connect(left / "logs.sqlite3", isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        texts = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE aggregated_logs SET count = count + 64 WHERE message_pattern = 'Step 3'")
        for (text,) in texts:
            connection.execute(text)
    assert stored(left / "logs.sqlite3") == 2 * FLUSHES + 64
    said = mend_file(left / "logs.sqlite3")
    assert "counts differ: 88 logs in rows, 24 by hours, 24 in all" in said
    assert f"all {2 * FLUSHES} logs could be read" in said
    assert stored(left / "logs.sqlite3") == 2 * FLUSHES
    assert mend_file(left / "logs.sqlite3") == ""


@pytest.mark.parametrize(("table", "what"), [("pattern_levels", "levels"), ("source_hours", "hours of sources")])
async def test_a_wrong_sum_is_found_and_made_anew(left: Path, table: str, what: str) -> None:
    path = left / "logs.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {table} SET count = count + 64")
    said = mend_file(path)
    assert f"counts differ in the {what}" in said
    assert "all 24 logs could be read" in said
    assert mend_file(path) == ""


async def test_a_file_of_a_newer_release_is_no_damage(left: Path) -> None:
    path = left / "logs.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP INDEX aggregated_logs_first_seen")
        newest = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"PRAGMA user_version = {newest + 1}")
    assert mend_file(path) == ""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {newest}")
    assert "aggregated_logs_first_seen is not what it was" in mend_file(path)


async def test_a_rebuild_that_a_full_disk_stops_is_begun_again_by_the_next_start(left: Path) -> None:
    path = left / "logs.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE pattern_totals SET count = count + 64")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    try:
        with pytest.raises(sqlite3.OperationalError):
            mend_file(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert stored(path) == 2 * FLUSHES
    assert not [one for one in left.iterdir() if ".damaged-" in one.name or "-part" in one.name]
    assert "was damaged" in mend_file(path)
    assert stored(path) == 2 * FLUSHES


async def test_a_rebuild_that_was_stopped_before_its_last_step_is_put_in_place(left: Path) -> None:
    path = left / "logs.sqlite3"
    mend_file(path)
    path.rename(left / "logs.sqlite3-part")
    assert mend_file(path) == ""
    assert stored(path) == 2 * FLUSHES


async def test_rows_behind_a_damaged_page_are_kept_too(tmp_path: Path) -> None:
    path = tmp_path / "logs.sqlite3"
    sink = make()
    async with hosted(sink, tmp_path):
        await deliver(sink, Chain().flush([aggregate(f"Row {number} of many words") for number in range(300)]))
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT message_pattern FROM aggregated_logs ORDER BY id LIMIT 1 OFFSET 150"
        ((middle,),) = connection.execute(query).fetchall()
    content = bytearray(path.read_bytes())
    page = int.from_bytes(content[16:18], "big")
    for begin in range(page, len(content), page):
        if content[begin] == 13 and middle.encode() in content[begin : begin + page]:  # a leaf of a table
            content[begin : begin + 8] = b"\xff" * 8
    path.write_bytes(content)
    said = mend_file(path)
    kept = stored(path)
    assert 250 < kept < 300
    assert f"lost: {300 - kept} logs" in said


async def test_a_log_cut_in_a_whole_file_is_an_older_state(left: Path) -> None:
    path = left / "logs.sqlite3-wal"
    with path.open("r+b") as log:
        log.truncate(middle_of_the_log(left))
    assert mend_file(left / "logs.sqlite3") == ""
    assert stored(left / "logs.sqlite3") % 2 == 0


async def test_while_another_has_the_file_open_nobody_looks(left: Path) -> None:
    path = left / "logs.sqlite3"
    mend_file(path)
    first, said = open_file(path)
    with first:
        path.write_bytes(b"changed by a test")
        second, said_again = open_file(path)
        second.close()
    assert (said, said_again) == ("", "")
    third, said = open_file(path)
    third.close()
    assert "was damaged" in said


async def test_a_file_that_was_removed_is_refused_until_the_next_start(tmp_path: Path) -> None:
    sink, chain = make(), Chain()
    async with hosted(sink, tmp_path):
        await deliver(sink, chain.flush([aggregate(count=1)]))
        for path in tmp_path.glob("logs.sqlite3*"):
            path.unlink()
        flush = chain.flush([aggregate(count=2)])
        with pytest.raises(RetryableError, match="the file was there before"):
            await sink.on_flush(flush)
    sink = make()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, flush)
        assert await total(host.store) == 2


async def test_damage_that_is_found_while_it_runs_is_looked_at_by_the_next_start(
    left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file is not read whole at each start, so the finding is kept."""
    monkeypatch.setattr("log_aggregator_sqlite.damage.LOOKED_THROUGH_AT_START", 0)
    path = left / "logs.sqlite3"
    assert stored(path) == 2 * FLUSHES
    with closing(sqlite3.connect(path)) as connection:
        query = (
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master WHERE name = 'pattern_totals'"
        )
        root, size = connection.execute(query).fetchone()
    content = bytearray(path.read_bytes())
    content[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(content)
    async with hosted(make(), left) as host:
        assert await host.checks["sqlite file"]() is None
        with pytest.raises(RetryableError, match="restart the service"):
            await total(host.store)
    assert marker_of(path).exists()
    async with hosted(make(), left) as host:
        assert "was damaged" in await host.checks["sqlite file"]()
        assert await total(host.store) == 2 * FLUSHES
    assert not marker_of(path).exists()

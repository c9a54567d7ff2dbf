"""A new file from what can be read of a damaged one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from log_aggregator_sqlite.database import migrate, transaction, use_wal
from log_aggregator_sqlite.tallies import Hour, Key, hours_of, hours_that_add_up

_HOUR = 3_600_000_000


class Rebuilt(NamedTuple):
    """Logs in the new file, and those that are lost, from when to when; `None` when nothing says how many were."""

    kept: int
    lost: int | None
    begin: int = 0
    end: int = 0


def rebuild(aside: Path, path: Path) -> Rebuilt:
    """Make the file `path` from the readable rows of `aside`. What triggers derive is derived anew.

    Raises `sqlite3.OperationalError` when the new file cannot be written.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as into:
        use_wal(into)
        into.execute("PRAGMA synchronous = FULL")
        migrate(into)
        with closing(sqlite3.connect(aside, isolation_level=None)) as source, transaction(into):
            source.execute("PRAGMA writable_schema = ON")  # reads on where the schema or the length is wrong
            told = _told_hours(source)
            is_whole = _copy_all(source, into)
            lost, begin, end = _settle(into, *told) if told is not None else (None, 0, 0)
        if lost is None and is_whole:  # the rows are all there: only what is derived of them was damaged
            lost = 0
        kept = sum(hour.logs for hour in hours_of(into).values())
    return Rebuilt(kept, lost, begin, end)


def _told_hours(source: sqlite3.Connection) -> tuple[dict[Key, Hour], bool] | None:
    """The hours that can be trusted, and whether all can be."""
    try:
        trusted = hours_that_add_up(source)
        return trusted, len(trusted) == len(hours_of(source))
    except (sqlite3.Error, TypeError, ValueError):
        return None


def _copy_all(source: sqlite3.Connection, into: sqlite3.Connection) -> bool:
    """Copy every table that no trigger fills; whether all rows could be read."""
    triggers = " ".join(text for (text,) in into.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'"))
    derived = set(re.findall(r"INSERT INTO (\w+)", triggers))
    tables = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    is_whole = True
    for table, text in into.execute(tables).fetchall():
        if table in derived:
            continue
        into.execute(f"DELETE FROM {table}")  # noqa: S608  a name from our migrations
        is_whole &= _copy(source, into, table, has_rowid="WITHOUT ROWID" not in text.upper())
    return is_whole


def _copy(source: sqlite3.Connection, into: sqlite3.Connection, table: str, *, has_rowid: bool) -> bool:
    """Copy a table from its beginning up to damage, then from its end back to it."""
    columns = [row[1:6] for row in into.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(name for name, *_ in columns)
    key = ["rowid"] if has_rowid else [name for name, *_, place in sorted(columns, key=lambda c: c[4]) if place]
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  names from our migrations
    for direction in ("", " DESC"):
        order = ", ".join(f"{name}{direction}" for name in key)
        query = f"SELECT {names} FROM {table} ORDER BY {order}"  # noqa: S608  likewise
        if all(_is_taken(into, insert, row) for row in _rows(source, query)):
            return True
    return False


class _Unreadable:
    """Stands for the rest of a table."""


def _rows(source: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...] | _Unreadable]:
    try:
        yield from source.execute(query)
    except (sqlite3.Error, UnicodeDecodeError):
        yield _Unreadable()


def _is_taken(into: sqlite3.Connection, insert: str, row: tuple[Any, ...] | _Unreadable) -> bool:
    if isinstance(row, _Unreadable):
        return False
    try:
        into.execute(insert, row)
    except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError):
        return False
    return True


def _settle(into: sqlite3.Connection, told: dict[Key, Hour], is_all: bool) -> tuple[int, int, int]:
    """Set right what a changed bit did to a count, delete what was never stored; the lost logs, and their times."""
    with_rows = hours_of(into)
    for key, hour in told.items():
        found = with_rows.get(key)
        if found is None or found.logs == hour.logs or _set_right(into, key, hour.logs - found.logs):
            continue
        if found.logs > hour.logs:
            _delete(into, key)
    if is_all:
        missing = sum(hour.logs for hour in told.values()) - sum(hour.logs for hour in hours_of(into).values())
        for key, hour in hours_of(into).items():
            if missing < 0 and key not in told:
                _delete(into, key)
                missing += hour.logs
    left = hours_of(into)
    gone = {key: hour for key, hour in told.items() if hour.logs > (left[key].logs if key in left else 0)}
    lost = sum(hour.logs - (left[key].logs if key in left else 0) for key, hour in gone.items())
    elsewhere = sum(hour.logs for key, hour in left.items() if key not in told) if is_all else 0
    if lost <= elsewhere:  # a name has changed: the logs are counted under another one
        return 0, 0, 0
    return lost - elsewhere, min(h.first_seen for h in gone.values()), max(h.last_seen for h in gone.values())


def _set_right(into: sqlite3.Connection, key: Key, difference: int) -> bool:
    for row, count in _rows_of(into, key):
        changed = count ^ (count + difference)
        if count + difference > 0 and changed & (changed - 1) == 0:
            into.execute("UPDATE aggregated_logs SET count = ? WHERE id = ?", (count + difference, row))
            return True
    return False


def _delete(into: sqlite3.Connection, key: Key) -> None:
    into.executemany("DELETE FROM aggregated_logs WHERE id = ?", [(row,) for row, _ in _rows_of(into, key)])


def _rows_of(into: sqlite3.Connection, key: Key) -> list[tuple[int, int]]:
    pattern, hour, level, source, category = key
    query = (
        "SELECT id, count FROM aggregated_logs WHERE pattern_id = ? AND bucket >= ? AND bucket < ? AND level = ? "
        "AND source = ? AND coalesce(category, '') = ?"
    )
    assert isinstance(hour, int)
    return into.execute(query, (pattern, hour, hour + _HOUR, level, source, category)).fetchall()

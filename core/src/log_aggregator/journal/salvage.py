"""A journal that cannot be opened: set aside, and what can be read of it copied into a new one."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from log_aggregator.journal.checks import Lost, lost_row

_COLUMNS = {
    "meta": "id, instance, sequence, version",
    "lanes": "name, cursor, epoch, sequence, lost",
    "positions": "plugin, name, value",
    "plugin_state": "plugin, name, value",
    "keys": "number, key, digest, accepted, at",
    "automatic_keys": "number, key, digest, accepted, at",
    "intake": "position, received, payload, logs, checksum",
    "outbox": "sequence, epoch, first_sequence, groups, logs, opened, payload, checksum",
}
_NUMBERED = {"intake": "position", "outbox": "sequence", "keys": "number", "automatic_keys": "number"}


def set_aside(path: Path) -> Path:
    """Move the files of a journal out of the way; where the main file is now."""
    aside = path.with_name(f"{path.name}.damaged-{int(time.time() * 1000)}")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def copy_readable(aside: Path, into: sqlite3.Connection) -> Lost:
    """Copy what can be read of a journal that was set aside into a new one, whose tables are there and empty.

    Flushes count only with the identity and the lanes that say which of them a sink has: else they could be stored
    twice. Returns what is lost; rows that cannot be found at all are in `or_more`.
    """
    lost = Lost()
    with contextlib.closing(sqlite3.connect(aside, isolation_level=None)) as source:
        source.execute("PRAGMA writable_schema = ON")  # reads on where the schema or the length is wrong
        copied = {table: _copy(source, into, table) for table in ("meta", "lanes")}
        is_known = all(copied.values())
        for table in _COLUMNS.keys() - copied.keys():
            if table != "outbox" or is_known:
                _copy(source, into, table)
        if not is_known:
            for opened, logs in _rows(source, "outbox", "opened, logs"):
                lost += lost_row(logs, opened, opened)
        if _has_gaps(source, into):
            lost += Lost(or_more=True)
    return lost


def _has_gaps(source: sqlite3.Connection, into: sqlite3.Connection) -> bool:
    """Whether rows of the intake are missing: they were numbered without gaps, and are deleted from the front."""
    first, rows = into.execute("SELECT min(position), count(*) FROM intake").fetchone()
    last = _last(source, "intake", "position")
    return bool(last) and (not rows or last - first + 1 != rows)


def _copy(source: sqlite3.Connection, into: sqlite3.Connection, table: str) -> int:
    names = _COLUMNS[table]
    marks = ", ".join("?" * (names.count(",") + 1))
    count = 0
    for row in _rows(source, table, names):
        if table == "meta" and not _is_identity(*row):
            continue
        with contextlib.suppress(sqlite3.IntegrityError):
            into.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", row)  # noqa: S608  only the names above
            count += 1
    return count


def _is_identity(number: object, instance: object, sequence: object, version: object) -> bool:
    return isinstance(instance, str) and all(isinstance(value, int) for value in (number, sequence, version))


def _rows(source: sqlite3.Connection, table: str, names: str) -> Iterator[tuple[Any, ...]]:
    """The rows that can be read. Behind a damaged page of a numbered table, reading goes on further on."""
    number = _NUMBERED.get(table)
    if number is None:
        with contextlib.suppress(sqlite3.DatabaseError, UnicodeDecodeError):
            yield from source.execute(f"SELECT {names} FROM {table}")  # noqa: S608  only the names above
        return
    after, step = -1, 1
    last = _last(source, table, number)
    query = f"SELECT {number}, {names} FROM {table} WHERE {number} > ? ORDER BY {number}"  # noqa: S608  only the names above
    while after < last:
        try:
            for row in source.execute(query, (after,)):
                if row[0] <= after:  # the order of the table is damaged, too
                    return
                after, step = row[0], 1
                yield row[1:]
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            after, step = after + step, step * 2
        else:
            return


def _last(source: sqlite3.Connection, table: str, number: str) -> int:
    try:
        found = source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        if found is None:
            found = source.execute(f"SELECT max({number}) FROM {table}").fetchone()  # noqa: S608  only the names above
        return int(found[0] or 0) if found else 0
    except (sqlite3.DatabaseError, UnicodeDecodeError, ValueError):
        return 1 << 40

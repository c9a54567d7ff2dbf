"""A damaged file: found when the first process opens it, mended, or set aside and rebuilt from what can be read."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from log_aggregator.storekit.opening import Opening
from log_aggregator.storekit.wal import mend
from log_aggregator_sqlite.database import marker_of, migrate, use_wal
from log_aggregator_sqlite.rebuilding import Rebuilt, rebuild
from log_aggregator_sqlite.tallies import counts_differ

LOOKED_THROUGH_AT_START = 64 * 1024 * 1024
"""Bytes up to which a file is read whole at every start: `log-aggregator verify` reads larger ones."""

_SUFFIXES = ("", "-wal", "-shm")

_log = logging.getLogger(__name__)


class Damaged(Exception):  # noqa: N818  a finding, not a fault of the program
    """What is wrong with a file."""


def open_file(path: Path) -> tuple[Opening, str]:
    """Look at the file before it is opened, and mend what is damaged, unless another process has it open.

    Returns what has to be held while it is open, and what was damaged: empty when nothing was. A damaged file never
    fails: it is set aside. Nor does one that is locked: it is looked at another time. Raises `OSError`.
    """
    told: list[str] = []

    def look() -> None:
        try:
            message = mend_file(path)
        except sqlite3.OperationalError as error:
            _log.warning("%s was not looked at, the next start does it: %s", path, error)
            return
        if message:
            _log.error(message)
            told.append(message)

    return Opening(path, look), "; ".join(told)


def mend_file(path: Path) -> str:
    """Mend the file if it is damaged, and say what was; nobody may have it open. Raises `OSError` and, as for a locked
    file, `sqlite3.OperationalError`.
    """
    part = path.with_name(f"{path.name}-part")
    if not path.exists() and part.exists():  # a start was stopped between the last two steps of a rebuild
        part.rename(path)
    if not path.exists():
        return ""
    log_damage = mend(path)
    kept = f"; the damaged log is kept as {log_damage.copy.name}" if log_damage else ""
    try:
        look_through(path, whole=marker_of(path).exists() or path.stat().st_size <= LOOKED_THROUGH_AT_START)
    except (Damaged, sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        told = _told(_rebuilt(path, part))
        # Only now: until then the next start finds the file as it was, and begins again.
        aside = _set_aside(path)
        part.rename(path)
        with suppress(FileNotFoundError):
            marker_of(path).unlink()
        return f"{path.name} was damaged ({_reason(error)}); {told}; it is kept as {aside.name}{kept}"
    with suppress(FileNotFoundError):
        marker_of(path).unlink()
    if log_damage is None:
        return ""
    return f"{path.name} had a damaged write-ahead log; no logs are known to be lost{kept}"


def _rebuilt(path: Path, part: Path) -> Rebuilt:
    """Rebuild the file beside itself; nothing stays of what could not be written, as on a full disk."""
    _remove(part)
    try:
        return rebuild(path, part)
    except BaseException:
        _remove(part)
        raise


def _remove(path: Path) -> None:
    for suffix in _SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def look_through(path: Path, *, whole: bool) -> None:
    """Raise `Damaged` or `sqlite3.DatabaseError` for what is wrong. Without `whole` only the tables are looked at.

    Brings the file to the newest schema. One of a newer release is left as it is.
    """
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
        use_wal(connection)
        _migrated(connection)
        if _has_our_schema(connection) and whole:
            for problem in problems(connection):
                raise Damaged(problem)


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong in a file of the newest schema, read whole; nothing when it is well."""
    for (line,) in connection.execute("PRAGMA integrity_check(20)"):
        if line != "ok":
            yield str(line)
    if counts := counts_differ(connection):
        yield counts


def _migrated(connection: sqlite3.Connection) -> None:
    try:
        migrate(connection)
    except sqlite3.OperationalError as error:
        if "no such" in str(error) or "already exists" in str(error) or "duplicate column" in str(error):
            raise Damaged(str(error)) from error  # the schema is not what its version says
        raise


def _has_our_schema(connection: sqlite3.Connection) -> bool:
    """Whether all that the migrations make is there, as they make it; more may be. Raises `Damaged` when it is not,
    unless a newer release made the file.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrate(fresh)
        wanted, newest = _schema(fresh), _version(fresh)
    found = _schema(connection)
    for name, text in wanted.items():
        if found.get(name) != text:
            if _version(connection) > newest:
                return False
            raise Damaged(f"the definition of {name} is not what it was")
    return True


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    """Each table, index, trigger and view with its text; releases of SQLite differ in blanks and quotes."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: "".join(text.replace('"', "").split()).lower() for name, text in rows}


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns() // 1_000_000}")
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def _reason(error: Exception) -> str:
    """The text of the finding; SQLite's may hold what is damaged, and then it is no text."""
    return "the schema is no text" if isinstance(error, UnicodeDecodeError) else str(error)


def _told(rebuilt: Rebuilt) -> str:
    if rebuilt.lost is None:
        return f"{rebuilt.kept} logs could be read; how many are lost is not known"
    if not rebuilt.lost:
        return f"all {rebuilt.kept} logs could be read"
    begin, end = _moment(rebuilt.begin), _moment(rebuilt.end)
    return f"lost: {rebuilt.lost} logs, from {begin} to {end}; {rebuilt.kept} could be read"


def _moment(micros: int) -> str:
    try:
        return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return "an unknown time"

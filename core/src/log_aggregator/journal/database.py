"""The journal's SQLite file: how it is opened, locked and laid out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sqlite3
from pathlib import Path
from typing import IO, NamedTuple

from log_aggregator.errors import ConfigError
from log_aggregator.journal.checks import Lost, take_out_damaged
from log_aggregator.journal.protocol import Identity
from log_aggregator.journal.salvage import copy_readable, set_aside
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.storekit.wal import mend

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (
    id INTEGER PRIMARY KEY CHECK (id = 1), instance TEXT NOT NULL, sequence INTEGER NOT NULL, version INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS intake (
    position INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL, payload BLOB NOT NULL,
    logs INTEGER, checksum INTEGER
);
CREATE TABLE IF NOT EXISTS keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, accepted INTEGER NOT NULL, at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS keys_at ON keys (at);
CREATE TABLE IF NOT EXISTS automatic_keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, accepted INTEGER NOT NULL, at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS automatic_keys_at ON automatic_keys (at);
CREATE TABLE IF NOT EXISTS positions (
    plugin TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (plugin, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS plugin_state (
    plugin TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (plugin, name)
);
CREATE TABLE IF NOT EXISTS outbox (
    sequence INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, first_sequence INTEGER NOT NULL,
    groups INTEGER NOT NULL, logs INTEGER NOT NULL, opened INTEGER NOT NULL, payload BLOB NOT NULL,
    checksum INTEGER
);
CREATE TABLE IF NOT EXISTS lanes (
    name TEXT PRIMARY KEY, cursor INTEGER NOT NULL, epoch INTEGER, sequence INTEGER, lost INTEGER NOT NULL
) WITHOUT ROWID;
"""

VERSION = 2

_SINCE_VERSION_2 = (("intake", "logs INTEGER"), ("intake", "checksum INTEGER"), ("outbox", "checksum INTEGER"))


class OpenJournal(NamedTuple):
    """An opened journal: the connection belongs to the writer thread from here on."""

    path: Path
    connection: sqlite3.Connection
    identity: Identity
    lock: IO[str]
    damage: str = ""
    """What was found damaged and what of it is lost; empty when nothing was."""


def open_journal(data_dir: Path) -> OpenJournal:
    """Open (or create) the journal of a data directory and lock the directory for this process.

    What is damaged is mended, or set aside and taken over as far as it can be read: a start never fails for it.
    Raises `ConfigError` when the directory cannot be used or another service uses it.
    """
    try:
        lock = lock_directory(data_dir)
        path = data_dir / "journal.sqlite3"
        with contextlib.ExitStack() as failing:
            failing.callback(lock.close)
            connection, identity, damage = _open(path)
            failing.pop_all()
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"DATA_DIR {data_dir}: cannot be used: {error}") from error
    return OpenJournal(path, connection, identity, lock, damage)


def _open(path: Path) -> tuple[sqlite3.Connection, Identity, str]:
    connection = None
    try:
        damage = mend(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        identity = _prepare(connection)
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("the file is damaged")
        lost = take_out_damaged(connection)
        aside = damage.copy if damage is not None else None
    except sqlite3.OperationalError:  # a full disk, a lock, missing rights: nothing is damaged
        if connection is not None:
            connection.close()
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError):  # the text of an error may hold what is damaged
        if connection is not None:
            connection.close()
        aside = set_aside(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        identity = _prepare(connection)
        lost = copy_readable(aside, connection)
        lost += take_out_damaged(connection)
        identity = _prepare(connection)
    except BaseException:
        if connection is not None:
            connection.close()
        raise
    return connection, identity, _told(lost, aside)


def _to_iso(time: int) -> str:
    try:
        return to_iso(time)
    except (OverflowError, ValueError):
        return "an unknown time"


def _told(lost: Lost, aside: Path | None) -> str:
    if not lost.logs and aside is None:
        return ""
    kept = f"; the damaged file is kept as {aside.name}" if aside is not None else ""
    if not lost.logs:
        some = "how many logs are lost is not known" if lost.or_more else "no logs are known to be lost"
        return f"the journal was damaged; {some}{kept}"
    begin, end = _to_iso(lost.begin), _to_iso(lost.end)
    more = ", and others, how many is not known" if lost.or_more else ""
    return f"the journal was damaged; lost: {lost.logs} logs, received from {begin} to {end}{more}{kept}"


def _make(data_dir: Path) -> None:
    """Make the directory; its entry in the parent must be on the disk before anything in it counts as durable."""
    if data_dir.exists():
        return
    data_dir.mkdir(parents=True, exist_ok=True)
    parent = os.open(data_dir.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def lock_directory(data_dir: Path) -> IO[str]:
    """Make the directory where there is none, and lock it for this process until the file is closed.

    Raises `ConfigError` when another service uses it, `OSError` when it cannot be made or written.
    """
    _make(data_dir)
    lock = (data_dir / "lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise ConfigError(
            f"DATA_DIR {data_dir}: in use by another service (process {owner}); stop it, or set another DATA_DIR"
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _prepare(connection: sqlite3.Connection) -> Identity:
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL syncs the write-ahead log at each commit: NORMAL would lose acknowledged logs at power loss.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 2000")
    # KiB. What is read back is larger than the usual 2 MiB, or in the system's cache: they would lie idle.
    connection.execute("PRAGMA cache_size = -512")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.executescript(_SCHEMA)
    for table, column in _SINCE_VERSION_2:
        if column.split()[0] not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    connection.execute(
        "INSERT OR IGNORE INTO meta (id, instance, sequence, version) VALUES (1, ?, 0, ?)",
        (secrets.token_hex(8), VERSION),
    )
    instance, version = connection.execute("SELECT instance, version FROM meta").fetchone()
    if not (isinstance(instance, str) and isinstance(version, int)):
        raise sqlite3.DatabaseError("the identity is damaged")
    if version > VERSION:
        raise ConfigError(f"the journal was written by a newer release (format {version}, this one reads {VERSION})")
    connection.execute("UPDATE meta SET version = ? WHERE version < ?", (VERSION, VERSION))
    return Identity(instance, secrets.randbits(62))


def touch(connection: sqlite3.Connection) -> None:
    """Write something that changes nothing: shows whether the journal can be written."""
    connection.execute("UPDATE meta SET version = version")


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes that the journal's rows take. The file may be larger: room that was given up is used again."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size

"""Damage in a write-ahead log, found and mended before SQLite drops what lies behind it.

SQLite reads a log up to the first frame whose checksum is wrong, and drops the rest unread: one flipped bit loses every
transaction after it, silently.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from log_aggregator.storekit.wal_frames import FRAME_HEADER, Examined, Log, examine, read_log, sums

_MX_FRAME = 16  # where the index of the log, the -shm file, says how many frames SQLite took
_OPEN_LOCK = 128  # the byte of that file that every open connection has locked


class Damage(NamedTuple):
    """What was found: frames that SQLite had dropped, those of them that stay damaged, and the copy of the log."""

    frames: int
    damaged: int
    copy: Path


def mend(path: Path) -> Damage | None:
    """Look at the log of a database that this process has not open, and mend it; `None` when SQLite takes all of it.

    The log as it was is kept beside it. A changed bit is set right where it can be found; else the damaged frame is
    taken as it is: check the rows, or the file. A last transaction that a power cut tore is no damage. While another
    process has the database open, nothing is looked at. Raises `OSError` and `sqlite3.Error`.
    """
    log_path = path.with_name(f"{path.name}-wal")
    if not path.exists() or _is_open(path):
        return None
    mended_path = path.with_name(f"{path.name}-mended")
    if mended_path.exists():  # a start that mended the log was stopped before it could put it in place
        mended_path.replace(log_path)
    log = read_log(log_path)
    if log is None:
        return None
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _take(connection)
        taken = _taken(path)
        if taken is None:
            return None
        found = examine(log, taken)
        if taken >= found.frames:
            return None
        index_path = path.with_name(f"{path.name}-shm")
        copy = path.with_name(f"{log_path.name}.damaged-{time.time_ns() // 1_000_000}")
        part = path.with_name(f"{mended_path.name}-part")
        try:
            _write(copy, log.data)
            _write(part, _mended(log, found))
            part.replace(mended_path)
        except OSError:  # a full disk: closing deletes the log, so it is put back
            connection.close()
            for one in (copy, part, index_path):
                with suppress(OSError):
                    one.unlink()
            _write(log_path, log.data)
            raise
    index_path.unlink(missing_ok=True)
    mended_path.replace(log_path)
    return Damage(found.frames - taken, len(found.damaged), copy)


def frames_lost(path: Path) -> int:
    """Frames that SQLite would drop if it opened the database now; 0 while a process has it open. Opens nothing.

    Reads the whole log and computes every checksum: some seconds for the largest.
    """
    log = read_log(path.with_name(f"{path.name}-wal"))
    if log is None or _is_open(path):
        return 0
    frames, taken, stored = log.last(), 0, log.stored(-1)
    if not log.is_header_whole:
        return examine(log, 0).frames
    for number in range(frames):
        stored = sums(log.order, log.content(number), stored)
        if stored != log.stored(number) or log.salts_of(number) != log.salts:
            return max(0, examine(log, taken).frames - taken)
        if log.ends_transaction(number):
            taken = number + 1
    return 0


def _take(connection: sqlite3.Connection) -> None:
    """Let SQLite read the log. That the file itself is damaged is found by who opens it next."""
    try:
        connection.execute("PRAGMA journal_mode")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError):  # the text of the error may hold what is damaged
        return


def _is_open(path: Path) -> bool:
    """Whether another process has the database open."""
    try:
        with path.with_name(f"{path.name}-shm").open("r+b") as index:
            fcntl.lockf(index, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _OPEN_LOCK)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _taken(path: Path) -> int | None:
    try:
        index = path.with_name(f"{path.name}-shm").read_bytes()
    except FileNotFoundError:
        return None
    return int.from_bytes(index[_MX_FRAME : _MX_FRAME + 4], "little" if struct.pack("=H", 1)[0] else "big")


def _mended(log: Log, found: Examined) -> bytes:
    """The log with what could be set right, and with checksums that fit the rest."""
    data = bytearray(log.data[: log.at(found.frames)])
    right = sums(log.order, bytes(data[:24]), (0, 0))
    data[24:32] = struct.pack(">II", *right)
    for number in range(found.frames):
        at = log.at(number)
        content = found.corrected.get(number) or log.content(number)
        right = sums(log.order, content, right)
        data[at : at + 8] = content[:8]
        data[at + 8 : at + 16] = log.salts
        data[at + 16 : at + FRAME_HEADER] = struct.pack(">II", *right)
        data[at + FRAME_HEADER : at + log.step] = content[8:]
    return bytes(data)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        path.chmod(0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())

"""Damage in a write-ahead log, found and mended before SQLite drops what lies behind it.

SQLite reads a log up to the first frame whose checksum is wrong, and drops the rest unread: one flipped bit loses every
transaction after it, silently. The checksum of each frame continues that of the frame before it, and both are stored,
so the frames behind a damaged one can still be checked. Format: https://www.sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

HEADER = 32
FRAME_HEADER = 24

_MAGIC = (0x377F0682, 0x377F0683)
_MX_FRAME = 16  # where the index of the log, the -shm file, says how many frames SQLite took
_OPEN_LOCK = 128  # the byte of that file that every open connection has locked


class Damage(NamedTuple):
    """What was found: frames that SQLite had dropped, those of them that were damaged, and the copy of the log."""

    frames: int
    damaged: int
    copy: Path


class _Log(NamedTuple):
    data: bytes
    order: str
    page: int
    salts: bytes

    @property
    def step(self) -> int:
        return FRAME_HEADER + self.page

    def frame(self, number: int) -> int:
        """Where a frame begins; the first is 0."""
        return HEADER + number * self.step

    def frames(self) -> int:
        """The last frame of this log that ends a transaction, counted from 1; frames of an older log lie behind."""
        last = 0
        for number in range((len(self.data) - HEADER) // self.step):
            at = self.frame(number)
            if self.data[at + 8 : at + 16] == self.salts and self.data[at + 4 : at + 8] != b"\0\0\0\0":
                last = number + 1
        return last


def mend(path: Path) -> Damage | None:
    """Look at the log of a database that this process has not open, and mend it; `None` when SQLite takes all of it.

    The log as it was is kept beside it. A damaged frame is taken as it is: check the rows, or the file. While another
    process has the database open, nothing is looked at. Raises `OSError` and `sqlite3.Error`.
    """
    log_path = path.with_name(f"{path.name}-wal")
    if not path.exists() or _is_open(path):
        return None
    mended_path = path.with_name(f"{path.name}-mended")
    if mended_path.exists():  # a start that mended the log was stopped before it could put it in place
        mended_path.replace(log_path)
    log = _read(log_path)
    if log is None:
        return None
    frames = log.frames()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _take(connection)
        taken = _taken(path)
        if taken is None or taken >= frames:
            return None
        index_path = path.with_name(f"{path.name}-shm")
        try:
            copy = path.with_name(f"{log_path.name}.damaged-{time.time_ns() // 1_000_000}")
            _write(copy, log.data)
            mended, damaged = _mended(log, frames)
            part = path.with_name(f"{mended_path.name}-part")
            _write(part, mended)
            part.replace(mended_path)
        except OSError:  # a full disk: closing deletes the log, so it is put back
            connection.close()
            index_path.unlink(missing_ok=True)
            _write(log_path, log.data)
            raise
    index_path.unlink(missing_ok=True)
    mended_path.replace(log_path)
    return Damage(frames - taken, damaged, copy)


def frames_lost(path: Path) -> int:
    """Frames that SQLite would drop if it opened the database now; 0 while a process has it open. Opens nothing.

    Reads the whole log and computes every checksum: some seconds for the largest.
    """
    log = _read(path.with_name(f"{path.name}-wal"))
    if log is None or _is_open(path):
        return 0
    frames = log.frames()
    sums = _sums(log, log.data[:24], (0, 0))
    if sums != struct.unpack(">II", log.data[24:32]):
        return frames
    for number in range(frames):
        at = log.frame(number)
        sums = _sums(log, log.data[at : at + 8] + log.data[at + FRAME_HEADER : at + log.step], sums)
        if sums != struct.unpack(">II", log.data[at + 16 : at + 24]) or log.data[at + 8 : at + 16] != log.salts:
            return frames - number
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


def _read(path: Path) -> _Log | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) < HEADER + FRAME_HEADER:
        return None
    magic, _, page = struct.unpack(">III", data[:12])
    if magic not in _MAGIC or page not in {1 << bit for bit in range(9, 17)}:
        return None
    return _Log(data, "<" if magic == _MAGIC[0] else ">", page, data[16:24])


def _taken(path: Path) -> int | None:
    try:
        index = path.with_name(f"{path.name}-shm").read_bytes()
    except FileNotFoundError:
        return None
    return int.from_bytes(index[_MX_FRAME : _MX_FRAME + 4], "little" if struct.pack("=H", 1)[0] else "big")


def _mended(log: _Log, frames: int) -> tuple[bytes, int]:
    """The log with checksums that are right, and how many frames were damaged."""
    data = bytearray(log.data[: log.frame(frames)])
    right = stored = _sums(log, bytes(data[:24]), (0, 0))
    data[24:32] = struct.pack(">II", *right)
    damaged = 0
    for number in range(frames):
        at = log.frame(number)
        content = bytes(data[at : at + 8]) + bytes(data[at + FRAME_HEADER : at + log.step])
        written = struct.unpack(">II", data[at + 16 : at + 24])
        damaged += _sums(log, content, stored) != written
        stored = written
        right = _sums(log, content, right)
        data[at + 8 : at + 16] = log.salts
        data[at + 16 : at + 24] = struct.pack(">II", *right)
    return bytes(data), damaged


def _sums(log: _Log, content: bytes, begin: tuple[int, int]) -> tuple[int, int]:
    first, second = begin
    for one, two in struct.iter_unpack(f"{log.order}II", content):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        path.chmod(0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())

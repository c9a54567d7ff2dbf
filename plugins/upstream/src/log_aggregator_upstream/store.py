"""What has gathered and what was sealed, in a SQLite file: nothing is sent that is not here, nothing twice."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import zstandard

from log_aggregator.errors import ConfigError
from log_aggregator.sinks import Aggregate, Alias, Flush, Position, merge_all
from log_aggregator_upstream.delivery import Head, body_of, parts

Result = TypeVar("Result")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS chain (
    id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, sequence INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS progress (
    instance TEXT PRIMARY KEY, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gathered (
    id INTEGER PRIMARY KEY AUTOINCREMENT, bucket INTEGER NOT NULL, groups INTEGER NOT NULL, logs INTEGER NOT NULL,
    at REAL NOT NULL, payload BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sealed (sequence INTEGER PRIMARY KEY, logs INTEGER NOT NULL, body BLOB NOT NULL);
"""

MERGE_AT = 16
"""Flushes that have gathered at which they are merged into one."""


class Gathered(msgspec.Struct):
    """Aggregates and aliases that wait to be sealed."""

    aggregates: tuple[Aggregate, ...]
    aliases: tuple[Alias, ...] = ()


class Waiting(NamedTuple):
    """What is not sent yet: sealed deliveries, groups that gather, logs of both, since when the oldest gathers."""

    deliveries: int
    groups: int
    logs: int
    since: float | None


class Sealed(NamedTuple):
    """One delivery, as it is sent every time."""

    sequence: int
    logs: int
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
read_gathered = msgspec.msgpack.Decoder(Gathered).decode


class UpstreamStore:
    """The file. Not for several threads at once. Every change is one transaction, durable when the call returns."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises `ConfigError` when it cannot be used."""
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
            self._connection.execute("INSERT OR IGNORE INTO chain VALUES (1, 0, 0)")
        except sqlite3.Error as error:
            raise ConfigError(f"{path}: cannot be used: {error}") from error
        self._epoch = secrets.randbits(62) | 1

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def gather(self, flush: Flush, bucket: int) -> bool:
        """Keep what a flush holds; whether it was new. Raises `FencedError`, and `sqlite3.Error`."""
        payload = zstandard.ZstdCompressor(level=1).compress(_encode(Gathered(flush.aggregates, flush.aliases)))

        def write(connection: sqlite3.Connection) -> bool:
            query = "SELECT epoch, sequence FROM progress WHERE instance = ?"
            row = connection.execute(query, (flush.instance,)).fetchone()
            if flush.is_stored(None if row is None else Position(*row)):
                return False
            progress = (flush.instance, *flush.position)
            connection.execute("INSERT OR REPLACE INTO progress VALUES (?, ?, ?)", progress)
            if flush.aggregates or flush.aliases:
                row = (bucket, len(flush.aggregates), flush.logs, time.time(), payload)
                connection.execute(
                    "INSERT INTO gathered (bucket, groups, logs, at, payload) VALUES (?, ?, ?, ?, ?)", row
                )
            return True

        return self._in_transaction(write)

    def merge(self, max_samples: int) -> None:
        """Merge what has gathered when it is many flushes. Raises `sqlite3.Error`."""
        rows = self._rows()
        if len(rows) < MERGE_AT:
            return
        merged = [(bucket, self._merged(rows, bucket, max_samples)) for bucket in sorted({row[1] for row in rows})]

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM gathered WHERE id <= ?", (rows[-1][0],))
            for bucket, one in merged:
                payload = zstandard.ZstdCompressor(level=1).compress(_encode(one))
                row = (bucket, len(one.aggregates), sum(a.count for a in one.aggregates), rows[0][2], payload)
                connection.execute(
                    "INSERT INTO gathered (bucket, groups, logs, at, payload) VALUES (?, ?, ?, ?, ?)", row
                )

        self._in_transaction(write)

    def seal(self, edge: str, via: list[str], max_samples: int, max_bytes: int, max_groups: int) -> int:
        """Turn all that has gathered into deliveries; how many. Raises `sqlite3.Error`."""
        rows = self._rows()
        if not rows:
            return 0
        previous = Position(*self._connection.execute("SELECT epoch, sequence FROM chain").fetchone())
        made: list[tuple[int, int, bytes]] = []
        for bucket in sorted({row[1] for row in rows}):
            one = self._merged(rows, bucket, max_samples)
            head = Head(edge, via, bucket)
            for part in parts(one.aggregates, one.aliases, max_bytes, max_groups):
                place = Position(self._epoch, previous.sequence + 1)
                made.append((place.sequence, part.logs, body_of(head, place, previous, part)))
                previous = place

        def write(connection: sqlite3.Connection) -> int:
            connection.execute("DELETE FROM gathered WHERE id <= ?", (rows[-1][0],))
            connection.executemany("INSERT INTO sealed VALUES (?, ?, ?)", made)
            connection.execute("UPDATE chain SET epoch = ?, sequence = ?", previous)
            return len(made)

        return self._in_transaction(write)

    def next(self) -> Sealed | None:
        """The oldest delivery that was not taken yet. Raises `sqlite3.Error`."""
        row = self._connection.execute("SELECT sequence, logs, body FROM sealed ORDER BY sequence LIMIT 1").fetchone()
        return None if row is None else Sealed(*row)

    def taken(self, sequence: int) -> None:
        """Forget a delivery: the other service has it. Raises `sqlite3.Error`."""
        self._in_transaction(lambda c: c.execute("DELETE FROM sealed WHERE sequence = ?", (sequence,)))

    def waiting(self) -> Waiting:
        """What is not sent yet. Raises `sqlite3.Error`."""
        deliveries, sealed = self._connection.execute("SELECT count(*), coalesce(sum(logs), 0) FROM sealed").fetchone()
        query = "SELECT coalesce(sum(groups), 0), coalesce(sum(logs), 0), min(at) FROM gathered"
        groups, logs, since = self._connection.execute(query).fetchone()
        return Waiting(deliveries, groups, logs + sealed, since)

    def _rows(self) -> list[tuple[int, int, float, bytes]]:
        return self._connection.execute("SELECT id, bucket, at, payload FROM gathered ORDER BY id").fetchall()

    def _merged(self, rows: list[tuple[int, int, float, bytes]], bucket: int, max_samples: int) -> Gathered:
        plain = zstandard.ZstdDecompressor()
        every = [read_gathered(plain.decompress(payload)) for _, of, _, payload in rows if of == bucket]
        merged = merge_all((aggregate for one in every for aggregate in one.aggregates), max_samples)
        return Gathered(tuple(merged.values()), tuple(alias for one in every for alias in one.aliases))

    def _in_transaction(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

"""Acknowledged records that no flush covers yet: append, read back after a crash, trim."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator

import zstandard

from log_aggregator.errors import KeyReusedError
from log_aggregator.journal.checks import checksum
from log_aggregator.journal.keys import Keys, Known
from log_aggregator.journal.positions import write_position
from log_aggregator.journal.protocol import Appended, Entry
from log_aggregator.journal.rows import RowContent, decode_row, unpacked

COMPRESS_FROM = 4096
"""Bytes from which on a row is compressed."""


class Intake:
    """The operations on the intake. Each takes the writer's connection and runs in its transaction."""

    def __init__(self, max_keys: int) -> None:
        self._keys = Keys(max_keys)
        self._compressor = zstandard.ZstdCompressor(level=1)

    def append(self, connection: sqlite3.Connection, entries: list[Entry]) -> list[Appended | KeyReusedError]:
        """Append entries in order; a reused key is answered in its place and costs no other entry."""
        return [self._append(connection, entry) for entry in entries]

    def _append(self, connection: sqlite3.Connection, entry: Entry) -> Appended | KeyReusedError:
        known = None if entry.key is None else self._known(connection, entry.key, entry)
        if known is not None and known.digest != entry.digest:
            return KeyReusedError("this Idempotency-Key came with another body before")
        if entry.position is not None:
            write_position(connection, entry.position)
        if known is not None:
            return Appended(0, known.accepted, duplicate=True)
        if entry.payload is None:
            return Appended(0, entry.accepted)
        payload = self._packed(entry.payload)
        cursor = connection.execute(
            "INSERT INTO intake (received, payload, logs, checksum) VALUES (?, ?, ?, ?)",
            (time.time_ns() // 1000, payload, entry.accepted, checksum(payload)),
        )
        assert cursor.lastrowid is not None
        return Appended(cursor.lastrowid, entry.accepted)

    def _known(self, connection: sqlite3.Connection, key: str, entry: Entry) -> Known | None:
        """What came with the entry's key before; if nothing did, the key is remembered from now on."""
        now = int(time.time())
        known = self._keys.find(connection, key, now)
        if known is None:
            self._keys.remember(connection, key, Known(entry.digest, entry.accepted), now)
        return known

    def _packed(self, payload: bytes) -> bytes:
        """Large rows compressed: it runs beside the event loop, and a small disk has a sixth to write."""
        return self._compressor.compress(payload) if len(payload) >= COMPRESS_FROM else payload

    def read(self, connection: sqlite3.Connection, after: int, most: int) -> Iterator[tuple[int, RowContent]]:
        """The next rows after a position, at most `most`, in order: (position, what it holds)."""
        query = "SELECT position, payload FROM intake WHERE position > ? ORDER BY position LIMIT ?"
        for position, payload in connection.execute(query, (after, most)):
            yield position, decode_row(unpacked(payload))

    def trim(self, connection: sqlite3.Connection, watermark: int) -> None:
        """Forget the rows up to and including a position: a flush covers them."""
        connection.execute("DELETE FROM intake WHERE position <= ?", (watermark,))

"""Acknowledged records that no flush covers yet: append, read back after a crash, trim."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import zstandard

from log_aggregator.errors import KeyReusedError
from log_aggregator.journal.checks import checksum
from log_aggregator.journal.keys import Keys, Known
from log_aggregator.journal.positions import Positions, ReaderPosition
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import SentAggregates
from log_aggregator.model.validation import repair

COMPRESS_FROM = 4096
"""Bytes from which on a row is compressed."""

_encoder = msgspec.msgpack.Encoder()


class _Written(Record, array_like=True, gc=False):
    """A record as it is encoded in a row: its fields in order, without annotations where there are none."""


_decoder = msgspec.msgpack.Decoder(list[_Written])
_aggregates_decoder = msgspec.msgpack.Decoder(SentAggregates)


class Entry(NamedTuple):
    """What one append asks for. `payload` is `None` when the records are not to be kept on disk.

    With a `key`, see `client_key`, the append happens once: the same key and digest again is a duplicate.
    `position` is written in the same transaction, for a duplicate too: its records are there already.
    """

    payload: bytes | None
    accepted: int
    key: str | None = None
    digest: bytes = b""
    position: ReaderPosition | None = None


class Appended(NamedTuple):
    """What became of an entry: its position, or for a duplicate how many were accepted back then."""

    position: int
    accepted: int
    duplicate: bool = False


def encode(records: list[Record], *, annotated: bool = True) -> bytes:
    """The records as they stand after `on_ingest`; `annotated`: a stage may have annotated them.

    Raises `UNENCODABLE` when one holds what cannot be written down.
    """
    # Spelled out: Python 3.11 takes a third of the time that `attrgetter` would.
    if not annotated:
        return _encoder.encode(
            [(r.message, r.level, r.source, r.timestamp, r.metadata, r.level_is_explicit) for r in records]
        )
    return _encoder.encode(
        [
            (
                r.message,
                r.level,
                r.source,
                r.timestamp,
                r.metadata,
                r.level_is_explicit,
                r.pattern,
                r.category,
                r.tags,
                r.pattern_is_final,
                r.weight,
            )
            for r in records
        ]
    )


def encode_aggregates(sent: SentAggregates) -> bytes:
    """Aggregates of another service as a payload: a map, where that of records is a list."""
    return _encoder.encode(sent)


def decode_row(payload: bytes) -> list[Record] | SentAggregates:
    """What a row holds, of its payload as it was encoded."""
    return _aggregates_decoder.decode(payload) if 0x80 <= payload[0] <= 0x8F else decode(payload)


def unpacked(payload: bytes) -> bytes:
    """The payload of a row as it was encoded."""
    return zstandard.ZstdDecompressor().decompress(payload) if payload.startswith(zstandard.FRAME_HEADER) else payload


def decode(payload: bytes) -> list[Record]:
    """The records of `encode`. A field that has not its type is replaced, as it would have been after the stages."""
    try:
        rows = _decoder.decode(payload)
    except msgspec.ValidationError:
        return [_repaired(*fields) for fields in msgspec.msgpack.decode(payload)]
    return [Record(*msgspec.structs.astuple(row)) for row in rows]


def _repaired(*fields: Any) -> Record:
    record = Record(*fields)
    if isinstance(record.tags, list):
        record.tags = tuple(record.tags)
    repair(record)
    return record


class Intake:
    """The operations on the intake. Each takes the writer's connection and runs in its transaction."""

    def __init__(self, max_keys: int) -> None:
        self.positions = Positions()
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
            self.positions.write(connection, entry.position)
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

    def read(
        self, connection: sqlite3.Connection, after: int, most: int
    ) -> Iterator[tuple[int, list[Record] | SentAggregates]]:
        """The next rows after a position, at most `most`, in order: (position, what it holds)."""
        query = "SELECT position, payload FROM intake WHERE position > ? ORDER BY position LIMIT ?"
        for position, payload in connection.execute(query, (after, most)):
            yield position, decode_row(unpacked(payload))

    def trim(self, connection: sqlite3.Connection, watermark: int) -> None:
        """Forget the rows up to and including a position: a flush covers them."""
        connection.execute("DELETE FROM intake WHERE position <= ?", (watermark,))

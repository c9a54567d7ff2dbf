"""Records and flushes as bytes: what a journal writes, and what workers send each other."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import zstandard

from log_aggregator.model.aggregate import Aggregate, Alias, Anomaly, Flush, Position
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import SentAggregates
from log_aggregator.model.validation import repair

RowContent = list[Record] | SentAggregates
"""What a row of the intake holds: the records of requests, or a delivery of another service."""

_MAPS = frozenset(bytes((first,)) for first in range(0x80, 0x90))
"""First bytes of a short map in msgpack."""

AT_ONCE = 15
"""Groups that one call encodes, which keeps the interpreter's lock: as many as a list has whose header is one byte."""

_LIST = b"\xdd"
"""What begins a list of msgpack whose length follows in four bytes."""

_encoder = msgspec.msgpack.Encoder()


class _WrittenRecord(Record, array_like=True, gc=False):
    """A record as it is encoded in a row: its fields in order, without annotations where there are none."""


class _FlushHead(msgspec.Struct):
    """What a flush says of itself."""

    instance: str
    position: Position
    previous: Position | None
    opened: int
    sealed: int
    logs: int


class _WrittenFlush(_FlushHead):
    """A flush as it is encoded, its groups not read yet."""

    aggregates: list[msgspec.Raw]
    aliases: tuple[Alias, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()


class _FlushWithoutGroups(_FlushHead):
    """What is encoded of a flush in front of its groups; the empty list at its end takes one byte."""

    aliases: tuple[Alias, ...]
    anomalies: tuple[Anomaly, ...]
    aggregates: tuple[()] = ()


_read_records = msgspec.msgpack.Decoder(list[_WrittenRecord]).decode
_read_aggregates = msgspec.msgpack.Decoder(SentAggregates).decode
_read_flush = msgspec.msgpack.Decoder(_WrittenFlush).decode
_read_group = msgspec.msgpack.Decoder(Aggregate).decode


def encode(records: list[Record], *, annotated: bool = True) -> bytes:
    """The records as they stand after `on_ingest`; `annotated`: a stage may have annotated them.

    Raises `TypeError`, `ValueError`, `RecursionError` or `OverflowError` when one holds what cannot be written down.
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


def unpacked(payload: bytes) -> bytes:
    """The payload of a row as it was encoded."""
    return zstandard.ZstdDecompressor().decompress(payload) if payload.startswith(zstandard.FRAME_HEADER) else payload


def encode_aggregates(sent: SentAggregates) -> bytes:
    """Aggregates of another service as a payload: a map, where that of records is a list."""
    return _encoder.encode(sent)


def decode_row(payload: bytes) -> RowContent:
    """What a row holds, of its payload as it was encoded."""
    return _read_aggregates(payload) if payload[:1] in _MAPS else decode(payload)


def decode(payload: bytes) -> list[Record]:
    """The records of a row. A field that has not its type is replaced, as it would have been after the stages."""
    try:
        rows = _read_records(payload)
    except msgspec.ValidationError:
        return [_repaired(*fields) for fields in msgspec.msgpack.decode(payload)]
    records = cast("list[Record]", rows)
    for record in records:  # the same fields in the same places: making each anew takes a fifth more in all
        record.__class__ = Record
    return records


def _repaired(*fields: Any) -> Record:
    record = Record(*fields)
    if isinstance(record.tags, list):
        record.tags = tuple(record.tags)
    repair(record)
    return record


def encode_flush(flush: Flush) -> bytearray:
    """A flush as bytes. Raises as the encoder of records; it is sealed again then, without the texts at fault.

    One call for all of 10,000 groups would keep the interpreter's lock, and with it the event loop, for 50 to 200 ms.
    """
    payload = bytearray(
        _encoder.encode(
            _FlushWithoutGroups(
                flush.instance,
                flush.position,
                flush.previous,
                flush.opened,
                flush.sealed,
                flush.logs,
                flush.aliases,
                flush.anomalies,
            )
        )
    )
    groups = flush.aggregates
    payload[-1:] = _LIST + len(groups).to_bytes(4, "big")
    for start in range(0, len(groups), AT_ONCE):
        # The header of these groups takes the place of the last byte, which is put back: only the groups stay.
        end = len(payload) - 1
        last = payload[end]
        _encoder.encode_into(groups[start : start + AT_ONCE], payload, end)
        payload[end] = last
    return payload


def decode_flush(payload: bytes | bytearray) -> Flush:
    """Read a flush back, one group after the other.

    One call for all of a large flush would keep the interpreter's lock, and with it the event loop, for a third of a
    second.
    """
    written = _read_flush(payload)
    groups = tuple([_read_group(group) for group in written.aggregates])  # a loop of Python gives the lock away
    return Flush(**msgspec.structs.asdict(written) | {"aggregates": groups})


def writable(flush: Flush) -> Flush:
    """The flush with all that can be written: what cannot loses its texts and details, never its counts."""
    return msgspec.structs.replace(
        flush,
        aggregates=tuple(a if _is_writable(a) else _bare(a) for a in flush.aggregates),
        aliases=tuple(filter(_is_writable, flush.aliases)),
        anomalies=tuple(filter(_is_writable, flush.anomalies)),
    )


def _is_writable(part: Aggregate | Alias | Anomaly) -> bool:
    try:
        _encoder.encode(part)
    except (TypeError, ValueError, RecursionError, OverflowError):
        return False
    return True


def _bare(a: Aggregate) -> Aggregate:
    pattern, level, source = (str(text).encode("utf-8", "replace").decode() for text in (a.pattern, a.level, a.source))
    return Aggregate(a.bucket, pattern, level, source, a.count, a.first_seen, a.last_seen)

"""What a record must look like after a plugin has had it, and what becomes of one that does not."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from log_aggregator.model.record import MAX_WEIGHT, Record

UNENCODABLE = (TypeError, ValueError, RecursionError, OverflowError)
"""What is raised when something cannot be written down: odd objects, lone surrogates, cycles, huge numbers."""

_LATEST = 2**62
_encoder = msgspec.msgpack.Encoder()


def fault_of(record: Record) -> str:
    """The name of the first field that cannot be kept, or an empty text. Thorough, so it is slower."""
    for field in ("message", "level", "source", "pattern", "category"):
        if not _is_text(getattr(record, field)):
            return field
    if type(record.timestamp) is not int or not -_LATEST < record.timestamp < _LATEST:
        return "timestamp"
    if type(record.tags) is not tuple or not all(_is_text(tag) for tag in record.tags):
        return "tags"
    if not is_metadata(record.metadata):
        return "metadata"
    if type(record.weight) is not int or not 1 <= record.weight <= MAX_WEIGHT:
        return "weight"
    return "" if type(record.level_is_explicit) is bool else "level_is_explicit"


def repair(record: Record) -> str:
    """Put something that can be kept in place of what cannot; the names of the fields, or an empty text."""
    wrong = []
    while field := fault_of(record):
        wrong.append(field)
        setattr(record, field, _replacement(field, getattr(record, field)))
    return ", ".join(wrong)


def _is_text(value: Any) -> bool:
    if type(value) is not str:
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_metadata(value: Any) -> bool:
    """Whether a value is a JSON object that can be kept as a record's metadata."""
    if type(value) is not dict or not all(type(key) is str for key in value):
        return False
    try:
        _encoder.encode(value)
    except UNENCODABLE:
        return False
    return True


def _replacement(field: str, value: Any) -> Any:
    if field == "timestamp":
        return time.time_ns() // 1000
    plain = {"tags": (), "metadata": {}, "level_is_explicit": True, "weight": 1}
    if field in plain:
        return plain[field]
    if type(value) is str:
        return value.encode("utf-8", "replace").decode()
    return {"level": "INFO", "source": "unknown"}.get(field, "")

"""What goes through the pipes between the service and an isolated stage: frames, and which fields are in them."""

from __future__ import annotations

from typing import Any

import msgspec

from log_aggregator.errors import LogAggregatorError
from log_aggregator.model.record import Record

HEADER = 4
"""Bytes before each frame that hold its length, big-endian."""

LARGEST = 512 * 1024 * 1024
"""Bytes in one frame; more is a sign that the stream is garbled."""


class IsolationError(LogAggregatorError):
    """An isolated stage did not answer as it should. The text holds nothing of a record."""


class Start(msgspec.Struct):
    """The first frame: which plugin to load, with which options, and what it may use. `path` is `sys.path`."""

    name: str
    where: str
    options: dict[str, Any]
    memory_mib: int
    path: list[str]


class Ready(msgspec.Struct):
    """The first answer. `error` says why the plugin cannot run; empty when it can."""

    error: str = ""


class Call(msgspec.Struct):
    """One batch for one hook."""

    hook: str
    records: list[Record]


class Change(msgspec.Struct, array_like=True, omit_defaults=True):
    """What a stage may change of a record."""

    pattern: str
    level: str
    category: str
    tags: tuple[str, ...]
    metadata: dict[str, Any]


class Answer(msgspec.Struct):
    """What became of a batch: one change a record, in order, or the name of the exception that was raised."""

    changes: list[Change] = []
    error: str = ""


def apply(changes: list[Change], records: list[Record]) -> None:
    """Put the changes into the records. Raises `IsolationError`, and changes nothing, when they do not fit."""
    if len(changes) != len(records):
        raise IsolationError("answered for another number of records")
    for change, record in zip(changes, records, strict=True):
        record.pattern, record.level, record.category = change.pattern, change.level, change.category
        record.tags, record.metadata = change.tags, change.metadata


def framed(message: msgspec.Struct) -> bytes:
    """A message with its length before it."""
    payload = msgspec.msgpack.encode(message)
    return len(payload).to_bytes(HEADER, "big") + payload

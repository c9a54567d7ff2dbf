"""The fields of a record from what a receiver read: the same folding, limits and repairs as by HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, TypeVar

from log_aggregator.model.fields.lenient import (
    BadLogError,
    level_of,
    message_of,
    source_of,
    timestamp_of,
)
from log_aggregator.model.fields.lifting import Lifted, Lifter
from log_aggregator.model.fields.limits import Limits
from log_aggregator.model.fields.metadata import bounded
from log_aggregator.model.fields.table import STREAMS, FieldTable
from log_aggregator.model.fields.text import is_dirty
from log_aggregator.model.fields.timestamps import EARLIEST, LEEWAY

Field = TypeVar("Field")
_NOTHING: Mapping[str, Any] = {}
_EARLIEST_NANOS = EARLIEST * 1000

RecordFields = tuple[str, str, str, int, dict[str, Any], bool]
"""Message, level, source, timestamp, metadata, and whether the level is explicit: the first fields of a record."""


class SentFields(TypedDict, total=False):
    """Fields of a record as sent; each may be left out."""

    message: Any
    level: Any
    source: Any
    timestamp: Any
    metadata: dict[str, Any]


class _Configured:
    """What this process's service was configured with; the defaults before one starts."""

    limits = Limits()
    table = FieldTable()
    lifter = Lifter(table)


def configure(limits: Limits, table: FieldTable | None = None) -> None:
    """Set the limits and the field table of this process: a service does when it starts."""
    _Configured.limits = limits
    _Configured.table = table or FieldTable()
    _Configured.lifter = Lifter(_Configured.table)


def field_table() -> FieldTable:
    """The field table of this process."""
    return _Configured.table


def fields_of(
    message: str | bytes | float,
    *,
    level: str | float | None = None,
    source: str | float | None = None,
    timestamp: str | float | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> RecordFields:
    """The fields of `Record.of`; see there."""
    limits, now = _Configured.limits, time.time_ns() // 1000
    if isinstance(message, bytes):
        message = message.decode("utf-8", "replace")
    folded, level_is_explicit = level_of(level)
    kept = dict(metadata) if metadata else {}
    when = timestamp_of(timestamp, kept, now)
    return message_of(message, limits), folded, source_of(source), when, bounded(kept, limits), level_is_explicit


def fields_of_object(
    log: Mapping[str, Any], *, envelope: SentFields | None = None, defaults: SentFields | None = None
) -> RecordFields:
    """The fields of `Record.from_object`; see there."""
    now, lifter = time.time_ns() // 1000, _Configured.lifter
    if not envelope:
        quick = lifter.quick(log, now)
    else:
        sent: Any = envelope.get("timestamp") if len(envelope) == 1 else None
        is_known = type(sent) is int and _EARLIEST_NANOS <= sent <= (now + LEEWAY) * 1000
        quick = lifter.quick(log, now, sent // 1000) if is_known else None
    if quick is not None:
        return _of_quick(quick, defaults or _NOTHING, now)
    limits, unread = _Configured.limits, dict[str, Any]()
    below = defaults or SentFields()
    message = level = source = when = None
    if envelope:
        message = _of(envelope.get("message"), lambda value: message_of(value, limits))
        level = _of(envelope.get("level"), _named_level)
        source = _of(envelope.get("source"), _named_source)
        when = _of(envelope.get("timestamp"), lambda value: timestamp_of(value, unread, now))
    given = (("message", message), ("level", level), ("source", source), ("timestamp", when)) if envelope else ()
    known = {field: value for field, value in given if value is not None}
    lifted = lifter.lift_beside(dict(log), now, known) if known else lifter.lift(dict(log), now)
    message = message or lifted.message or below.get("message")
    if message is None:
        raise BadLogError("message: missing, expected a text")
    level = level or lifted.level
    metadata = lifted.rest
    if "metadata" in below:
        metadata = below["metadata"] | metadata
    source = source or lifted.source or source_of(below.get("source"))
    when = when or lifted.timestamp or timestamp_of(below.get("timestamp"), unread, now)
    if envelope and "metadata" in envelope:
        metadata = metadata | envelope["metadata"]
    if None in metadata.values():  # clients write it for what is absent
        metadata = {name: value for name, value in metadata.items() if value is not None}
    if type(message) is not str or not 0 < len(message) <= limits.message or not message.isprintable():
        message = message_of(message, limits)
    return (
        message,
        level or level_of(below.get("level"))[0],
        source,
        when,
        bounded(metadata | unread if unread else metadata, limits),
        level is not None,
    )


def _of_quick(lifted: Lifted, below: Mapping[str, Any], now: int) -> RecordFields:
    """The same for an object whose fields were found the quick way."""
    message, level, source, when, metadata = lifted
    limits = _Configured.limits
    if "metadata" in below:
        metadata = below["metadata"] | metadata
    if None in metadata.values():
        metadata = {name: value for name, value in metadata.items() if value is not None}
    if when is None:
        unread: dict[str, Any] = {}
        when = timestamp_of(below.get("timestamp"), unread, now)
        metadata = metadata | unread if unread else metadata
    if message is None or len(message) > limits.message or not message.isprintable():
        message = message_of(message, limits)
    metadata = bounded(metadata, limits)
    source = source or source_of(below.get("source"))
    if level is not None:
        return message, level, source, when, metadata, True
    return message, level_of(below.get("level"))[0], source, when, metadata, False


def _of(value: Any, convert: Callable[[Any], Field | None]) -> Field | None:
    """A field of the envelope, `None` where it has none that can be used."""
    try:
        return None if value is None else convert(value)
    except BadLogError:
        return None


def _named_level(value: Any) -> str | None:
    level, is_explicit = level_of(value)
    return level if is_explicit else None


def _named_source(value: Any) -> str | None:
    is_nothing = value is None or value == "" or (isinstance(value, str) and value in STREAMS)
    return None if is_nothing else source_of(value)


def message_and_time(message: Any, timestamp: Any, unbelieved: dict[str, Any]) -> tuple[str, int]:
    """The two fields that differ among records of one stream. A time that cannot be believed goes into `unbelieved`.

    Raises `BadLogError`.
    """
    limits, now = _Configured.limits, time.time_ns() // 1000
    if type(message) is not str or not 0 < len(message) <= limits.message or is_dirty(message):
        message = message_of(message.decode("utf-8", "replace") if isinstance(message, bytes) else message, limits)
    if type(timestamp) is int and _EARLIEST_NANOS <= timestamp <= (now + LEEWAY) * 1000:
        return message, timestamp // 1000
    return message, timestamp_of(timestamp, unbelieved, now)


def with_stack(message: str, fields: dict[str, Any]) -> str:
    """The message with the stack that `fields` hold beside it, by the field table, behind it; it leaves `fields`."""
    return _Configured.lifter.with_stack(message, fields)


def bounded_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata within the limits of this process."""
    return bounded(metadata, _Configured.limits)

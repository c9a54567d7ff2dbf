"""The fields of a record from what a receiver read: the same folding, limits and repairs as by HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict, TypeVar

from log_aggregator.model.fields.lenient import (
    BadLogError,
    level_of,
    message_of,
    source_of,
    timestamp_of,
)
from log_aggregator.model.fields.limits import Limits
from log_aggregator.model.fields.metadata import bounded
from log_aggregator.model.fields.table import STREAMS, FieldTable, take
from log_aggregator.model.fields.text import is_dirty
from log_aggregator.model.fields.timestamps import EARLIEST, LEEWAY

Field = TypeVar("Field")
_EARLIEST_NANOS = EARLIEST * 1000
FieldName = Literal["message", "level", "source", "timestamp"]

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


def configure(limits: Limits, table: FieldTable | None = None) -> None:
    """Set the limits and the field table of this process: a service does when it starts."""
    _Configured.limits = limits
    _Configured.table = table or FieldTable()


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
    limits, now = _Configured.limits, time.time_ns() // 1000
    sent = _Sent(log, envelope or SentFields(), defaults or SentFields())
    unbelieved: dict[str, Any] = {}
    message = sent.explicit("message", lambda value: message_of(value, limits))
    if message is None:
        if sent.default("message") is None:
            raise BadLogError("message: missing, expected a text")
        message = message_of(sent.default("message"), limits)
    level = sent.explicit("level", _named_level)
    level_is_explicit = level is not None
    if level is None:
        level, _ = level_of(sent.default("level"))
    source = sent.explicit("source", _named_source)
    if source is None:
        source = source_of(sent.default("source"))
    timestamp = sent.explicit("timestamp", lambda value: timestamp_of(value, unbelieved, now))
    if timestamp is None:
        timestamp = timestamp_of(sent.default("timestamp"), unbelieved, now)
    return message, level, source, timestamp, bounded(sent.rest() | unbelieved, limits), level_is_explicit


class _Sent:
    """The three places that a field may come from, in order: what is around the object, the object, a default."""

    def __init__(self, log: Mapping[str, Any], envelope: SentFields, defaults: SentFields) -> None:
        self._log = dict(log)
        self._envelope = envelope
        self._defaults = defaults

    def explicit(self, field: FieldName, convert: Callable[[Any], Field | None]) -> Field | None:
        """The field as the envelope or the object has it; `None` where neither does."""
        try:
            value = None if self._envelope.get(field) is None else convert(self._envelope[field])
        except BadLogError:
            value = None
        return take(self._log, getattr(_Configured.table, field), convert) if value is None else value

    def default(self, field: FieldName) -> Any:
        """The default of the field, as given; `None` without one."""
        return self._defaults.get(field)

    def rest(self) -> dict[str, Any]:
        """The metadata: of the envelope, then of the object, which is all that is no field, then of the defaults."""
        own = self._log
        nested = own.get("metadata")
        if isinstance(nested, dict):
            own = {key: value for key, value in own.items() if key != "metadata"} | nested
        return self._defaults.get("metadata", {}) | own | self._envelope.get("metadata", {})


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


def bounded_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata within the limits of this process."""
    return bounded(metadata, _Configured.limits)

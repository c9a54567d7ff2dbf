"""The other case: one log at a time, forgiving what can be forgiven and naming what cannot."""

from __future__ import annotations

from typing import Any

from log_aggregator.model.fields.lenient import (
    BadLogError,
    kind_of,
    level_of,
    message_of,
    metadata_of,
    source_of,
    timestamp_of,
)
from log_aggregator.model.fields.limits import Limits
from log_aggregator.model.fields.metadata import bounded
from log_aggregator.model.record import Record

_FIELDS = frozenset({"message", "level", "source", "timestamp", "metadata"})


def record_from(log: Any, limits: Limits, now: int) -> Record:
    """One decoded JSON value → a record. Raises `BadLogError`."""
    if not isinstance(log, dict):
        raise BadLogError(f"expected an object with a 'message', found {kind_of(log)}")
    message = _message(log, limits)
    level, level_is_explicit = level_of(log.get("level"))
    source = source_of(log.get("source"))
    metadata = _metadata(log)
    timestamp = timestamp_of(log.get("timestamp"), metadata, now)
    return Record(message, level, source, timestamp, bounded(metadata, limits), level_is_explicit)


def _message(log: dict[str, Any], limits: Limits) -> str:
    if "message" not in log:
        hint = next(
            (f"; this log has '{key}', send it as 'message'" for key in ("msg", "log", "text") if key in log), ""
        )
        raise BadLogError(f"message: missing, expected a text{hint}")
    return message_of(log["message"], limits)


def _metadata(log: dict[str, Any]) -> dict[str, Any]:
    metadata = metadata_of(log.get("metadata"))
    if len(log) > len(_FIELDS) or not log.keys() <= _FIELDS:
        metadata = metadata | {key: log[key] for key in log if key not in _FIELDS and key not in metadata}
    return metadata

"""The other case: one log at a time, forgiving what can be forgiven and naming what cannot."""

from __future__ import annotations

from typing import Any

from log_aggregator.http.decoding import levels, sources
from log_aggregator.http.decoding.limits import Limits
from log_aggregator.http.decoding.metadata import bounded
from log_aggregator.http.decoding.text import clean, cut, is_dirty
from log_aggregator.http.decoding.timestamps import AbsurdTimeError, parse
from log_aggregator.model.record import Record

_FIELDS = frozenset({"message", "level", "source", "timestamp", "metadata"})
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}

SENT_TIMESTAMP = "timestamp_sent"
"""The metadata key that keeps a timestamp which can be read but not believed."""


class BadLogError(ValueError):
    """This log cannot be taken; the text says which field, what it is and what was expected."""


def record_from(log: Any, limits: Limits, now: int) -> Record:
    """One decoded JSON value → a record. Raises `BadLogError`."""
    if not isinstance(log, dict):
        raise BadLogError(f"expected an object with a 'message', found {_kind(log)}")
    message = _message(log, limits)
    level, level_is_explicit = _level(log.get("level"))
    source = _source(log.get("source"))
    metadata = _metadata(log)
    timestamp = _timestamp(log.get("timestamp"), metadata, now)
    return Record(message, level, source, timestamp, bounded(metadata, limits), level_is_explicit)


def _message(log: dict[str, Any], limits: Limits) -> str:
    if "message" not in log:
        hint = next(
            (f"; this log has '{key}', send it as 'message'" for key in ("msg", "log", "text") if key in log), ""
        )
        raise BadLogError(f"message: missing, expected a text{hint}")
    message = log["message"]
    if isinstance(message, bool):
        message = "true" if message else "false"
    elif isinstance(message, int | float):
        message = _number(message, "message")
    elif not isinstance(message, str):
        raise BadLogError(f"message: expected a text, found {_kind(message)}")
    # What lies far beyond the limit need not be cleaned first; the mark still tells the length.
    whole = len(message)
    if whole > limits.message:
        message = cut(clean(message[: limits.message * 2]) + message[limits.message * 2 :], limits.message)
        message = clean(message) if is_dirty(message) else message
    elif is_dirty(message):
        message = clean(message)
    if not message:
        raise BadLogError("message: empty, expected a text")
    return message


def _level(level: Any) -> tuple[str, bool]:
    if isinstance(level, float) and level.is_integer():
        level = int(level)
    if level is None or isinstance(level, str) or (isinstance(level, int) and not isinstance(level, bool)):
        if isinstance(level, int) and abs(level) > levels.LARGEST:
            raise BadLogError("level: a number beyond any known scale; expected a name or 0 to 60")
        return levels.fold(level)
    raise BadLogError(f"level: expected a name or a number, found {_kind(level)}")


def _source(source: Any) -> str:
    if source is None or isinstance(source, str):
        return sources.name(source)
    if isinstance(source, int | float) and not isinstance(source, bool):
        return sources.name(_number(source, "source"))
    raise BadLogError(f"source: expected a text, found {_kind(source)}")


def _metadata(log: dict[str, Any]) -> dict[str, Any]:
    metadata = log.get("metadata")
    if metadata is None:
        metadata = {}
    elif not isinstance(metadata, dict):
        raise BadLogError(f"metadata: expected an object, found {_kind(metadata)}")
    if len(log) > len(_FIELDS) or not log.keys() <= _FIELDS:
        metadata = metadata | {key: log[key] for key in log if key not in _FIELDS and key not in metadata}
    return metadata


def _timestamp(timestamp: Any, metadata: dict[str, Any], now: int) -> int:
    if timestamp is None:
        return now
    if isinstance(timestamp, bool) or not isinstance(timestamp, str | int | float):
        raise BadLogError(f"timestamp: expected ISO 8601 or an epoch number, found {_kind(timestamp)}")
    try:
        return parse(timestamp, now)
    except AbsurdTimeError:
        metadata[SENT_TIMESTAMP] = timestamp
        return now
    except (ValueError, OverflowError):
        shown = clean(timestamp)[:40] if isinstance(timestamp, str) else "a number that is not finite"
        raise BadLogError(f"timestamp: {shown!r}: expected ISO 8601 or an epoch number") from None


def _number(value: int | float, field: str) -> str:
    try:
        return str(value)
    except ValueError:
        raise BadLogError(f"{field}: an integer with too many digits") from None


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "a number")

"""One field at a time, as sent: what can be repaired is, what cannot is named."""

from __future__ import annotations

from typing import Any

from log_aggregator.model.fields import levels, sources
from log_aggregator.model.fields.limits import Limits
from log_aggregator.model.fields.text import clean, cut, is_dirty
from log_aggregator.model.fields.timestamps import parse

_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}

SENT_TIMESTAMP = "timestamp_sent"
"""The metadata key that keeps a timestamp which cannot be read or not be believed."""


class _Replaced:
    """Since this process started."""

    timestamps = 0


def replaced_timestamps() -> int:
    """How many logs got the time of receipt because theirs could not be read or believed, in this process."""
    return _Replaced.timestamps


def keep_sent_timestamp(metadata: dict[str, Any], sent: Any) -> None:
    """Keep a timestamp that is no time beside the time of receipt, and count it."""
    metadata[SENT_TIMESTAMP] = sent
    _Replaced.timestamps += 1


class BadLogError(ValueError):
    """This log cannot be taken; the text says which field, what it is and what was expected."""


def message_of(sent: Any, limits: Limits) -> str:
    """A message as sent → safe text within the limit. Raises `BadLogError`."""
    message = _text_of(sent)
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


def _text_of(message: Any) -> str:
    if isinstance(message, str):
        return message
    if isinstance(message, bool):
        return "true" if message else "false"
    if isinstance(message, int | float):
        return _number(message, "message")
    raise BadLogError(f"message: expected a text, found {kind_of(message)}")


def level_of(level: Any) -> tuple[str, bool]:
    """A level as sent → the level it means, and whether one was sent at all. Raises `BadLogError`."""
    if isinstance(level, float) and level.is_integer():
        level = int(level)
    if level is None or isinstance(level, str) or (isinstance(level, int) and not isinstance(level, bool)):
        if isinstance(level, int) and abs(level) > levels.LARGEST:
            raise BadLogError("level: a number beyond any known scale; expected a name or 0 to 60")
        return levels.fold(level)
    raise BadLogError(f"level: expected a name or a number, found {kind_of(level)}")


def source_of(source: Any) -> str:
    """A source as sent → the name it is counted under. Raises `BadLogError`."""
    if source is None or isinstance(source, str):
        return sources.name(source)
    if isinstance(source, int | float) and not isinstance(source, bool):
        return sources.name(_number(source, "source"))
    raise BadLogError(f"source: expected a text, found {kind_of(source)}")


def metadata_of(metadata: Any) -> dict[str, Any]:
    """Metadata as sent → an object, not within its limits yet. Raises `BadLogError`."""
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise BadLogError(f"metadata: expected an object, found {kind_of(metadata)}")
    return metadata


def timestamp_of(timestamp: Any, metadata: dict[str, Any], now: int) -> int:
    """A time as sent → microseconds; `now` where none was sent.

    One that cannot be read or not be believed costs the time, not the log: it is put into `metadata` and counted.
    """
    if timestamp is None or timestamp == "":
        return now
    if type(timestamp) in (str, int, float):
        try:
            return parse(timestamp, now)
        except (ValueError, OverflowError):
            pass
    keep_sent_timestamp(metadata, timestamp)
    return now


def _number(value: int | float, field: str) -> str:
    try:
        return str(value)
    except ValueError:
        raise BadLogError(f"{field}: an integer with too many digits") from None


def kind_of(value: Any) -> str:
    """What a value is, as error texts say it."""
    return _KINDS.get(type(value), "a number")

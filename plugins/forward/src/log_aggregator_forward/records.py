"""Entries → records."""

from __future__ import annotations

from typing import Any

import msgspec

from log_aggregator import Record
from log_aggregator.receivers import BadLogError, SentFields, record_of_text
from log_aggregator_forward.decoding import time_of

_TEXTS = ("log", "message", "msg", "MESSAGE")


def record_of(tag: str, sent: Any, record: Any) -> Record:
    """The record of an entry. Raises `BadLogError` when it holds nothing."""
    if not isinstance(record, dict):
        raise BadLogError(f"record: {type(record).__name__}, expected a map")
    clean = record if _is_plain(record) else {_text(key): _clean(value) for key, value in record.items()}
    envelope = SentFields()
    time = time_of(sent)
    if time is not None:
        envelope["timestamp"] = time
    defaults = SentFields(source=tag)
    for name in _TEXTS:
        line = clean.get(name)
        if isinstance(line, str) and line.lstrip().startswith("{"):
            rest = {key: value for key, value in clean.items() if key != name}
            return _of_json_line(line, rest, envelope, defaults)
    log = clean.get("log")
    if isinstance(log, str) and log.endswith("\n"):
        clean = {**clean, "log": log.rstrip("\r\n")}
    try:
        return Record.from_object(clean, envelope=envelope, defaults=defaults)
    except BadLogError:
        if not any(isinstance(value, str) and value.strip() for value in clean.values()):
            raise
        return record_of_text(_as_json(clean), envelope=envelope, defaults=defaults)


def _of_json_line(line: str, rest: dict[str, Any], envelope: SentFields, defaults: SentFields) -> Record:
    """A program's JSON line in an agent's record: the line says level and message, the record where it was read."""
    around = _around(rest, defaults)
    return record_of_text(line.strip(), envelope=envelope, defaults=around)


def _around(rest: dict[str, Any], defaults: SentFields) -> SentFields:
    """What a record without its line says, as defaults: its source, level and metadata."""
    around = Record.from_object({**rest, "message": "-"}, defaults=defaults)
    found = SentFields(source=around.source, metadata=around.metadata)
    if around.level_is_explicit:
        found["level"] = around.level
    return found


def _as_json(clean: dict[str, Any]) -> str:
    return msgspec.json.encode(clean).decode()


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    text = value if isinstance(value, str) else str(value)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_plain(record: dict[Any, Any]) -> bool:
    """Whether keys and values are what they are in JSON, as nearly all are."""
    for key, value in record.items():
        kind = type(value)
        if type(key) is not str or not key.isascii():
            return False
        if kind is str:
            if not value.isascii():
                return False
        elif kind is not int and kind is not float and kind is not bool and value is not None:
            return False
    return True


def _clean(value: Any, depth: int = 0) -> Any:
    """A value without bytes and lone surrogates, which JSON does not have."""
    if isinstance(value, str | bytes):
        return _text(value)
    if isinstance(value, dict) and depth < 8:
        return {_text(key): _clean(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list) and depth < 8:
        return [_clean(inner, depth + 1) for inner in value]
    return value if isinstance(value, int | float | bool | None) else str(value)

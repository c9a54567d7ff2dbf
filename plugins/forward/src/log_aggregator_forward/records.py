"""Entries → records."""

from __future__ import annotations

from typing import Any

import msgspec

from log_aggregator import Record
from log_aggregator.receivers import BadLogError, SentFields, record_of_text
from log_aggregator_forward.decoding import time_of

_TEXTS = ("log", "message", "msg", "MESSAGE")
_PLAIN = frozenset({str, int, float, bool, type(None)})


def record_of(tag: str, sent: Any, record: Any) -> Record:
    """The record of an entry. Raises `BadLogError` when it holds nothing."""
    if not isinstance(record, dict):
        raise BadLogError(f"record: {type(record).__name__}, expected a map")
    clean = record if _is_plain(record) else {_text(key): _clean(value) for key, value in record.items()}
    time = time_of(sent)
    envelope = SentFields(timestamp=time) if time is not None else None
    defaults = SentFields(source=tag)
    for name in _TEXTS:
        line = clean.get(name)
        if isinstance(line, str) and (line[:1] == "{" or (line[:1].isspace() and line.lstrip().startswith("{"))):
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


def _of_json_line(line: str, rest: dict[str, Any], envelope: SentFields | None, defaults: SentFields) -> Record:
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
    values = record.values()
    if not _PLAIN.issuperset(map(type, values)):
        return False
    try:
        return "".join(record).isascii() and "".join([one for one in values if type(one) is str]).isascii()
    except TypeError:  # a key that is no text
        return False


def _clean(value: Any, depth: int = 0) -> Any:
    """A value without bytes and lone surrogates, which JSON does not have."""
    if isinstance(value, str | bytes):
        return _text(value)
    if isinstance(value, dict) and depth < 8:
        return {_text(key): _clean(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list) and depth < 8:
        return [_clean(inner, depth + 1) for inner in value]
    return value if isinstance(value, int | float | bool | None) else str(value)

"""From a record of a file to a log as JSON: text, or an object whose fields are named otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from log_aggregator.model.fields.table import FieldTable
from log_aggregator_reader import Record

Format = Literal["auto", "raw", "json", "ndjson"]

FIELDS = ("message", "level", "source", "timestamp")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Form(NamedTuple):
    """How records become logs.

    `source` and `level` are given to logs that have none of their own. `names` says under which name an object holds
    a field. `is_joined`: lines that belong together are one record.
    """

    format: Format = "auto"
    source: str = ""
    level: str = ""
    names: tuple[tuple[str, str], ...] = ()
    is_joined: bool = True

    def log(self, record: Record) -> bytes:
        """The log of a record, as JSON on one line.

        What is not a JSON object in NDJSON is passed on as it is: the service says what is wrong with it.
        """
        if self.format != "raw" and record.text[:1] in b"{ \t":
            entry = _object(record.text)
            if entry is not None:
                return self._of_object(entry, record)
        if self.format == "ndjson":
            return record.text.strip()
        # Bytes that are no UTF-8 stay readable: \xe9. A log is never refused for its encoding.
        log: dict[str, Any] = {"message": record.text.decode("utf-8", "backslashreplace"), **self._defaults()}
        if record.time:
            log |= {"timestamp": record.time, "metadata": {"stream": record.stream}}
        return _encode(log)

    def entry(self, entry: Any) -> bytes:
        """The log of an entry of a JSON document."""
        return self._of_object(entry, None) if isinstance(entry, dict) else _encode(entry)

    def _of_object(self, entry: dict[str, Any], record: Record | None) -> bytes:
        is_changed = False
        for field, name in self.names:
            found = _take(entry, name)
            if found is not None:
                entry[field], is_changed = found, True
        known = FieldTable()
        more = self._defaults()
        if record is not None and record.time:
            more["timestamp"] = record.time
        for field, value in more.items():
            if not any(_has(entry, name) for name in (field, *getattr(known, field))):
                entry[field], is_changed = value, True
        if record is not None and not is_changed and b"\n" not in record.text:
            return record.text.strip()
        return _encode(entry)

    def _defaults(self) -> dict[str, str]:
        return {field: value for field, value in (("source", self.source), ("level", self.level)) if value}


def names_of(text: str) -> tuple[tuple[str, str], ...]:
    """`message=text,level=sev` → pairs of field and name. Raises `ValueError`."""
    names: list[tuple[str, str]] = []
    for part in text.split(","):
        field, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or not name or field not in FIELDS:
            raise ValueError(f"{part!r}: expected FIELD=NAME, where FIELD is one of {', '.join(FIELDS)}")
        names.append((field, name))
    return tuple(names)


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _has(entry: Mapping[str, Any], name: str) -> bool:
    """Whether a key is there, flat or as a path into nested objects, and says something."""
    if entry.get(name) not in (None, ""):
        return True
    outer, dot, inner = name.partition(".")
    nested = entry.get(outer) if dot else None
    return isinstance(nested, dict) and _has(nested, inner)


def _take(entry: dict[str, Any], name: str) -> Any:
    """Remove a key, flat or as a path, and return what it held."""
    if name in entry:
        return entry.pop(name)
    outer, dot, inner = name.partition(".")
    nested = entry.get(outer) if dot else None
    return _take(nested, inner) if isinstance(nested, dict) else None

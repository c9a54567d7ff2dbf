"""How an aggregate that a database refuses is kept for a person, and how it is made acceptable."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from log_aggregator.aggregate import Aggregate

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def pack_aggregate(aggregate: Aggregate) -> bytes:
    """An aggregate as ASCII JSON bytes: any database takes them, whatever is inside."""
    return json.dumps(_plain(aggregate), ensure_ascii=True).encode("ascii")


def unpack_aggregate(packed: bytes) -> Aggregate:
    """The aggregate that was packed. Raises `ValueError` for other bytes."""
    return msgspec.convert(json.loads(packed), Aggregate, strict=False)


def clean_aggregate(aggregate: Aggregate) -> Aggregate:
    """The aggregate with NUL and lone surrogates, which no database text holds, replaced by U+FFFD."""
    return msgspec.convert(clean_value(_plain(aggregate)), Aggregate, strict=False)


def is_storable(text: str) -> bool:
    """Whether every database takes the text."""
    return _UNSTORABLE.search(text) is None


def clean_value(value: Any) -> Any:
    """A JSON value with what no database text holds replaced by U+FFFD, in keys too."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {clean_value(key): clean_value(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [clean_value(entry) for entry in value]
    return value


def _plain(aggregate: Aggregate) -> Any:
    return msgspec.to_builtins(aggregate, str_keys=True)

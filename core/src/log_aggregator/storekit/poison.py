"""How an aggregate that a database refuses is kept for a person, and how it is made acceptable."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from log_aggregator.model.aggregate import Aggregate
from log_aggregator.model.numbers import Numbers
from log_aggregator.model.summary import KeySummary, Summary
from log_aggregator.model.values import Values

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def pack_aggregate(aggregate: Aggregate) -> bytes:
    """An aggregate as ASCII JSON bytes: any database takes them, whatever is inside."""
    return json.dumps(_plain(aggregate), ensure_ascii=True).encode("ascii")


def unpack_aggregate(packed: bytes) -> Aggregate:
    """The aggregate that was packed. Raises `ValueError` for other bytes."""
    return _aggregate(json.loads(packed))


def clean_aggregate(aggregate: Aggregate) -> Aggregate:
    """The aggregate with NUL and lone surrogates, which no database text holds, replaced by U+FFFD."""
    return _aggregate(clean_value(_plain(aggregate)))


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


class _Unpacked(msgspec.Struct):
    """A `KeySummary` whose texts can be reached."""

    count: int
    values: Values
    numbers: Numbers | None = None


class _Summaries(msgspec.Struct):
    metadata: dict[str, _Unpacked] = {}
    variables: dict[str, _Unpacked] = {}


def _plain(aggregate: Aggregate) -> Any:
    plain = msgspec.to_builtins(msgspec.structs.replace(aggregate, metadata={}, variables={}), str_keys=True)
    summaries = _Summaries(_unpacked(aggregate.metadata), _unpacked(aggregate.variables))
    return plain | msgspec.to_builtins(summaries, str_keys=True)


def _aggregate(plain: Any) -> Aggregate:
    summaries = msgspec.convert(plain, _Summaries, strict=False)
    bare = msgspec.convert(plain | {"metadata": {}, "variables": {}}, Aggregate, strict=False)
    return msgspec.structs.replace(bare, metadata=_packed(summaries.metadata), variables=_packed(summaries.variables))


def _unpacked(summary: Summary) -> dict[str, _Unpacked]:
    return {key: _Unpacked(entry.count, entry.values, entry.numbers) for key, entry in summary.items()}


def _packed(unpacked: dict[str, _Unpacked]) -> Summary:
    return {key: KeySummary.of(entry.count, entry.values, entry.numbers) for key, entry in unpacked.items()}

"""How often each value of metadata and variables came in two spans."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

Tested = list[tuple[str, str, str, list[tuple[str, int, int]], int, int]]
"""(pattern id, kind, key, [(value, logs before, logs after)], all logs before, all logs after)."""

_SLICE = 200
_MOST_VALUES = 12
_LEAST = 20
_ENOUGH = 50


class _Value(msgspec.Struct):
    value: str
    count: int


class _Key(msgspec.Struct):
    count: int
    complete: bool = True
    values: list[_Value] = []


_decoder = msgspec.json.Decoder(dict[str, _Key])


class KeySummaries:
    """What a row keeps of its metadata or variables."""

    @staticmethod
    def read(text: str | bytes | None) -> dict[str, _Key]:
        """Each key with its count and values; nothing for what another program wrote."""
        try:
            return _decoder.decode(text) if text else {}
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}


class _Counts(msgspec.Struct):
    wholes: list[int]
    values: dict[str, list[int]]
    complete: bool = True


class Shares:
    """Counts of values by (pattern id, kind, key)."""

    def __init__(self) -> None:
        self.complete = True
        self._counts: dict[tuple[str, str, str], _Counts] = {}

    async def add(self, side: int, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows of (pattern id, metadata, variables) of the span before (0) or after (1)."""
        for done, (name, metadata, variables) in enumerate(rows):
            if done % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
            for kind, text in (("metadata", metadata), ("variable", variables)):
                if text:
                    self._add(side, name, kind, text)

    def _add(self, side: int, name: str, kind: str, text: str | bytes) -> None:
        for key, entry in KeySummaries.read(text).items():
            counts = self._counts.setdefault((name, kind, key), _Counts([0, 0], {}))
            counts.complete = counts.complete and entry.complete
            if not counts.complete:
                counts.values.clear()
                continue
            counts.wholes[side] += entry.count
            for value in entry.values:
                counts.values.setdefault(value.value, [0, 0])[side] += value.count

    def tested(self) -> Tested:
        """What can be tested: keys whose values are all known, with the most frequent of these."""
        found: Tested = []
        for (name, kind, key), counts in self._counts.items():
            before, after = counts.wholes
            if not counts.complete or min(before, after) < _ENOUGH:
                continue
            values = [(value, b, a) for value, (b, a) in counts.values.items() if b + a >= _LEAST]
            values.sort(key=lambda entry: -entry[1] - entry[2])
            if values and (len(values) > 1 or values[0][1] != before or values[0][2] != after):
                found.append((name, kind, key, values[:_MOST_VALUES], before, after))
        return found

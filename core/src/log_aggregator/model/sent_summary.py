"""Summaries that another service sends: within the bounds that this service's own have."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from log_aggregator.model.numbers import Numbers, bounded_numbers
from log_aggregator.model.summary import MAX_KEY_LENGTH, MAX_KEYS, MAX_VALUE_LENGTH, KeySummary, Summary
from log_aggregator.model.values import CELLS, MAX_VALUES, MOST, Values

_Text = Annotated[str, Meta(max_length=MAX_VALUE_LENGTH + 1)]
_Count = Annotated[int, Meta(ge=1, le=MOST)]


class _Values(msgspec.Struct):
    kept: Annotated[dict[_Text, _Count], Meta(min_length=1, max_length=MAX_VALUES)]
    draws: Annotated[dict[_Text, Annotated[float, Meta(ge=-1000, le=1000)]], Meta(max_length=MAX_VALUES)]
    cells: Annotated[list[Annotated[int, Meta(ge=0, le=MOST)]], Meta(max_length=2 * CELLS)]


_values_decoder = msgspec.msgpack.Decoder(_Values)


def checked_summary(sent: Summary) -> Summary:
    """The summary, packed anew. Raises `msgspec.ValidationError` or `ValueError` when it is not of its form."""
    if len(sent) > MAX_KEYS:
        raise ValueError(f"{len(sent)} keys in a summary; expected at most {MAX_KEYS}")
    return {key: _checked_key(key, entry) for key, entry in sent.items()}


def _checked_key(key: str, entry: KeySummary) -> KeySummary:
    if len(key) > MAX_KEY_LENGTH:
        raise ValueError(f"a key of {len(key)} characters; expected at most {MAX_KEY_LENGTH}")
    if not 1 <= entry.count <= MOST:
        raise ValueError("a key's count is out of range")
    found = _values_decoder.decode(entry.packed_values)
    if len(found.cells) not in (0, 2 * CELLS):
        raise ValueError(f"expected {2 * CELLS} cells or none")
    numbers: Numbers | None = entry.numbers
    if numbers is not None:
        bounded_numbers(numbers)
    return KeySummary.of(entry.count, Values(found.kept, found.draws, found.cells), numbers)

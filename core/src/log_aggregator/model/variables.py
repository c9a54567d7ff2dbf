"""What the placeholders of a pattern stand for in a message."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MAX_VARIABLES = 16
"""Placeholders of a pattern whose values are read, from the left."""

_PLACEHOLDER = re.compile(r"\{([A-Z][A-Z0-9_]{0,31})\}")


class _Aligned(NamedTuple):
    """A pattern taken apart: the text before each placeholder, their names, and the text behind the last of them."""

    before: tuple[str, ...]
    names: tuple[str, ...]
    end: str
    is_whole: bool


def variable_names(pattern: str) -> tuple[str, ...]:
    """The names of a pattern's placeholders, from the left: `ID`, and for one more of a kind `ID.2`, `ID.3`."""
    return _taken_apart(pattern).names


def variables_of(pattern: str, message: str) -> dict[str, str]:
    """What each placeholder of `pattern` stands for in `message`, by the names of `variable_names`.

    Each text between two placeholders is taken where it comes first. Empty when the message does not fit: a stage may
    have given it a pattern of another form.
    """
    before, names, end, is_whole = _taken_apart(pattern)
    if not names or not message.startswith(before[0]):
        return {}
    start = len(before[0])
    values: dict[str, str] = {}
    for place in range(1, len(names)):
        stop = message.find(before[place], start + 1) if before[place] else -1
        if stop < 0:
            return {}
        values[names[place - 1]] = message[start:stop]
        start = stop + len(before[place])
    stop = len(message) - len(end) if is_whole else message.find(end, start + 1)
    if is_whole and not message.endswith(end):
        return {}
    if stop <= start:
        return {}
    values[names[-1]] = message[start:stop]
    return values


@lru_cache(maxsize=16384)
def _taken_apart(pattern: str) -> _Aligned:
    before: list[str] = []
    names: list[str] = []
    counts: dict[str, int] = {}
    position = 0
    for found in _PLACEHOLDER.finditer(pattern):
        text = pattern[position : found.start()]
        position = found.end()
        if names and not text:
            continue  # nothing tells where one of two neighbors ends: the first stands for both
        if len(names) == MAX_VARIABLES:
            return _Aligned(tuple(before), tuple(names), text, False)
        name = found[1]
        counts[name] = counts.get(name, 0) + 1
        before.append(text)
        names.append(name if counts[name] == 1 else f"{name}.{counts[name]}")
    return _Aligned(tuple(before), tuple(names), pattern[position:], True)

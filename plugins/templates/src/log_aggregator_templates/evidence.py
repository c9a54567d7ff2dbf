"""When words that differ are one variable: how much evidence a place in a line needs.

The evidence is the number of different words seen at a place while all others agree. How many are
needed depends on three things only: how many words hold the line together, what the differing words
look like, and what stands around the place. No word has a meaning here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from enum import Enum

from log_aggregator_templates.tokens import VARIABLE

_NAME = re.compile(r"[/\\@$~]|\w\.\w|\w-\w+-\w|\w::\w")
_COMPOUND = re.compile(r"[A-Za-z0-9]_[A-Za-z0-9]")
_WORD = re.compile(r"[A-Za-z]{2}")

_NEVER = 1_000_000
_PROSE = (_NEVER, 9, 7, 5, 4, 3, 3)
"""Different words needed where plain words differ, by the number of words that hold the line together."""


def holding(words: Sequence[str], places: Iterable[int]) -> int:
    """How many real words hold the line together outside `places`."""
    skip = set(places)
    return sum(1 for i, word in enumerate(words) if word and i not in skip and _WORD.search(word))


def needed(values: Collection[str], held: int, around: Around, others: int) -> int:
    """How many different words make a place variable.

    `values` are the words seen there, `held` the number of words that hold the line together,
    `around` what stands around the place, `others` how many other places differ at the same time.
    """
    if held < 1 + others or around is Around.KEY:
        return _NEVER
    words = [value for value in values if value != VARIABLE]
    half_proven = len(words) < len(values) and not others
    names = sum(1 for word in words if _NAME.search(word) or len(word) == 1)
    if names >= len(words) - len(words) // 4:
        return 2
    if held > 1 and all(_COMPOUND.search(word) or _NAME.search(word) for word in words):
        return 2 if half_proven else 3 + others
    prose = _PROSE[min(held, len(_PROSE) - 1)]
    if around is Around.SET_APART:
        prose = max(2, prose - 3)
    return max(2, (prose + 1) // 2) if half_proven else prose + 2 * others


class Around(Enum):
    """What stands around a place."""

    NOTHING = "words or the end of the line"
    SET_APART = "a colon before it, or brackets on both sides"
    KEY = "an equals sign behind it: keys do not vary, values do"


def around(before: str, after: str) -> Around:
    """What the separators on both sides of a place tell about it."""
    if after.lstrip().startswith("=") and not after.lstrip().startswith("=="):
        return Around.KEY
    if before.endswith((": ", ":")) or (before[-1:] in _OPENING and after[:1] in _CLOSING):
        return Around.SET_APART
    return Around.NOTHING


_OPENING = ("(", "[", "{", "<", "'", '"')
_CLOSING = (")", "]", "}", ">", "'", '"')

"""When words that differ are one variable: how much evidence a place in a line needs.

The evidence is the number of different words seen at a place while all others agree. How many are
needed depends on three things only: how many words hold the line together, what the differing words
look like, and what stands around the place. No word has a meaning here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from log_aggregator_templates.literals import BOOLEANS, enumerates, is_constant_name, is_state
from log_aggregator_templates.scripts import HIRAGANA
from log_aggregator_templates.tokens import VARIABLE

_NAME = re.compile(r"[/\\@$~]|\w\.\w|\w-\w+-\w|\w::\w")
_COMPOUND = re.compile(r"[^\W\d_]_[^\W_]|[^\W_]_[^\W\d_]|\w_\{ID\}")
_HEAD = re.compile(r"[^\W\d_]{3,}[_.:/-]")
"""What names of one kind begin with: `sensor-attic`, `sensor-hall`."""
_WORD = re.compile(r"[^\W\d_]{2}")
_FAULT = re.compile(r"[a-z](?:Error|Exception)$")
_PARTICLE = re.compile(f"[{HIRAGANA}]+")
_DIGITS = re.compile(r"\d+")

_NAMES_A_TABLE = frozenset({"FROM", "INTO", "JOIN", "TABLE", "UPDATE"})
"""Words of SQL, behind which stands what a statement is about."""

_NEVER = 1_000_000
_PROSE = (_NEVER, 9, 7, 5, 4, 3, 3)
"""Different words needed where plain words differ, by the number of words that hold the line together."""
_TEXTS = 8
"""Different texts of several words in quotes that are needed: a text says what happened."""
_QUOTED_ALONE = 5
"""Different words in quotes needed where one word holds the line together: it may be all that the line says."""
_ENUMERATED = 6
"""Different values of a key that enumerates, such as `reason`, which are needed."""
_NAMES_ALONE = 4
"""Different names needed where one word holds the line together."""
_LONG = 50
"""Characters; a longer word is no word of a language."""
_CODES = 14
"""Different numbers needed where codes differ, or names that differ in a number only."""


def holding(words: Sequence[str], places: Iterable[int]) -> int:
    """How many real words hold the line together outside `places`. The name of an exception counts twice."""
    skip = set(places)
    held = [word for i, word in enumerate(words) if word and i not in skip and _WORD.search(word)]
    return (
        len(held)
        + sum(1 for word in held if _FAULT.search(word))
        - sum(1 for word in held if _PARTICLE.fullmatch(word))
    )


def needed(values: Collection[str], held: int, around: Around, others: int, key: str = "") -> int:
    """How many different words make a place variable.

    `values` are the words seen there, `held` the number of words that hold the line together,
    `around` what stands around the place, `others` how many other places differ at the same time,
    `key` the word before the place.
    """
    if held < 1 + others or around is Around.KEY:
        return _NEVER
    words = [value for value in values if value != VARIABLE]
    if key in _NAMES_A_TABLE:
        return _CODES
    half_proven = len(words) < len(values) and not others
    by_kind = _by_kind(words, held, around, half_proven, others)
    if by_kind:
        return by_kind
    prose = _prose(words, held, around)
    if around is not Around.NOTHING and enumerates(key) and not _FAULT.search(key):
        prose = max(prose, _ENUMERATED)
    return max(2, (prose + 1) // 2) if half_proven else prose + 2 * others


def _by_kind(words: Sequence[str], held: int, around: Around, half_proven: bool, others: int) -> int:
    """How many are needed of words that are no plain words; 0 when they are."""
    lists = sum(map(is_list, words))
    if lists and lists >= len(words) // 2 and not any(" " in word and not is_list(word) for word in words):
        return 2 if half_proven or others or len({word.count(",") for word in words}) > 1 else 3
    if 2 * sum(map(is_state, words)) >= len(words):
        return _NEVER
    if all(map(_has_digit, words)):
        return _CODES if around is Around.VALUE else max(2, _CODES - held)
    if all(word.lower() in BOOLEANS for word in words):
        return 2
    if any(" " in word for word in words):
        return _TEXTS + 2 * others
    return _of_names(words, held, half_proven, others)


def _of_names(words: Sequence[str], held: int, half_proven: bool, others: int) -> int:
    names = sum(1 for word in words if _NAME.search(word) or len(word) == 1 or len(word) > _LONG)
    if names >= len(words) - len(words) // 4:
        return 2 if held > 1 or half_proven else _NAMES_ALONE
    if held > 1 and all(_COMPOUND.search(word) or _NAME.search(word) for word in words):
        return 2 if half_proven else 3 + others
    if held > 1 and _HEAD.match(_beginning(words)):
        return 2 if half_proven else 3 + 2 * others
    return 0


def _beginning(words: Sequence[str]) -> str:
    """What all words begin with."""
    low, high = min(words), max(words)
    same = [a == b for a, b in zip(low, high, strict=False)]
    return low[: same.index(False)] if False in same else low


def _prose(words: Sequence[str], held: int, around: Around) -> int:
    prose = _PROSE[min(held, len(_PROSE) - 1)]
    if all(map(is_constant_name, words)):
        return prose + 2
    if around is Around.VALUE:
        return 3
    if around is Around.QUOTED:
        return 3 if held > 1 else _QUOTED_ALONE
    return max(3, prose - 3) if around is Around.SET_APART else prose


def is_list(word: str) -> bool:
    """Is it a list of words, which the cutter takes as one?"""
    return "," in word


def _has_digit(word: str) -> bool:
    return _DIGITS.search(word) is not None


class Evidence(NamedTuple):
    """What showed a place to be variable: `seen` different words; `needed` are enough beside `held` constant ones.

    `values` are the first of them in the order of the alphabet.
    """

    needed: int
    held: int
    seen: int
    values: tuple[str, ...]


VALUES_SHOWN = 8


def evidence_of(values: Collection[str], enough: int, held: int) -> Evidence:
    """The evidence that words at a place are."""
    words = sorted(value for value in values if value != VARIABLE)
    return Evidence(enough, held, len(words), tuple(words[:VALUES_SHOWN]))


class Around(Enum):
    """What stands around a place."""

    NOTHING = "words or the end of the line"
    QUOTED = "quotes on both sides"
    VALUE = "an equals sign before it"
    SET_APART = "a colon before it, or brackets on both sides"
    KEY = "an equals sign behind it: keys do not vary, values do"


def around(before: str, after: str) -> Around:
    """What the separators on both sides of a place tell about it."""
    if after.lstrip().startswith("=") and not after.lstrip().startswith("=="):
        return Around.KEY
    if before[-1:] in _QUOTES and after[:1] == before[-1:]:
        return Around.QUOTED
    if before.rstrip()[-1:] in _QUOTES_OPEN and after.lstrip()[:1] in _QUOTES_CLOSE:
        return Around.QUOTED
    if before.rstrip().endswith("="):
        return Around.VALUE
    if before.endswith((": ", ":", "\uff1a")) or (before[-1:] in _OPENING and after[:1] in _CLOSING):
        return Around.SET_APART
    return Around.NOTHING


_QUOTES = ("'", '"')
_QUOTES_OPEN = tuple("«‹„“‘「『《")
_QUOTES_CLOSE = tuple("»›“”’」』》")
_OPENING = ("(", "[", "{", "<", "'", '"', "\uff08", "【")
_CLOSING = (")", "]", "}", ">", "'", '"', "\uff09", "】")

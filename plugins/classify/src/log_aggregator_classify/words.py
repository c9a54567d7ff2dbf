"""How a pattern is read: the words in it, in a plain form, one after another."""

from __future__ import annotations

import re
from functools import lru_cache

_PLACEHOLDER = re.compile(r"\{[A-Z][A-Z0-9_]*\}")
_ADDRESS = re.compile(r"\S*://\S+|(?<!\S)[\w.-]+\.[A-Za-z][\w-]+:\d+|(?<![\w.])/[\w./-]+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_TOKEN = re.compile(r"[\w@.$-]+")
_ALONE = re.compile(r"[A-Za-z]?[a-z]+|[A-Z]+")
_LONGEST = 4000


def words_of(text: str) -> list[str]:
    """The words of a pattern in lower case and plain form; `getUserName` has three.

    Placeholders, URLs, paths and hosts with a port have none: the names in them say nothing of the event."""
    text = _ADDRESS.sub(" ", _PLACEHOLDER.sub(" ", text[:_LONGEST]))
    return [plain(word.lower()) for word in _WORD.findall(text)]


def plain_words_of(text: str) -> list[str]:
    """The words that stand alone, in plain form; a name such as `ErrorController`, `error-budget` or `bob@fail.example`
    is an empty text, so that nothing inside of it is a word of the sentence."""
    text = _ADDRESS.sub(" ", _PLACEHOLDER.sub(" ", text[:_LONGEST]))
    return [_plain_word(token) for token in _TOKEN.findall(text)]


def _plain_word(token: str) -> str:
    word = token.strip(".-")
    return plain(word.lower()) if _ALONE.fullmatch(word) else ""


@lru_cache(maxsize=4096)
def plain(word: str) -> str:
    """A word without the commonest English endings: `connected`, `connecting` and `connects` are one.

    Crude on purpose: rules and messages go through the same mill, so it only has to be consistent.
    """
    for ending in ("ations", "ation", "ings", "ing", "ions", "ion", "ies", "ers", "ed", "er", "es", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word[:-1] if len(word) == 4 and word.endswith("s") else word

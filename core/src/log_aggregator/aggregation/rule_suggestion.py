"""From messages that differ in one word: a regular expression for that word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

_FEWEST = 8
"""Messages of one form that are needed: of fewer nobody can tell what varies."""

_RARE = 0.5
"""Share of different words, beyond which the words at a place vary."""

_LETTERS = ("[a-z]", "[A-Z]", "[A-Za-z]")
_CLASSES = ("[0-9]", "[a-z]", "[A-Z]", "[0-9a-f]", "[0-9a-z]", "[A-Za-z]", "[0-9A-Za-z]", r"[\w-]", r"[\w.-]", r"\S")


def suggest_rule(messages: Sequence[str]) -> str:
    """A regular expression for the word that varies most in messages of the most frequent form; empty if none does.

    A form is a number of words. The expression has what all these words begin and end with, and of the rest only the
    kind and number of characters: no part of a single message is in it. Plain letters alone are no word that varies.
    """
    forms = Counter(len(message.split()) for message in messages)
    if not forms or forms.most_common(1)[0][1] < _FEWEST:
        return ""
    length = forms.most_common(1)[0][0]
    columns = list(zip(*(words for message in messages if len(words := message.split()) == length), strict=True))
    varying = [words for words in map(set, columns) if len(words) > _RARE * len(columns[0])]
    rules = (_expression(sorted(words)) for words in sorted(varying, key=len, reverse=True))
    return next((rule for rule in rules if rule), "")


def _expression(words: Sequence[str]) -> str:
    """An expression for all words; empty when it would be for any word of letters."""
    start = _up_to_a_sign(_shared(words))
    rest = [word[len(start) :] for word in words]
    end = _up_to_a_sign(_shared([word[::-1] for word in rest]))[::-1]
    varying = [word[: len(word) - len(end)] for word in rest]
    kind = next((one for one in _CLASSES if all(re.fullmatch(f"{one}*", word) for word in varying)), r"\S")
    if not start and not end and kind in _LETTERS:
        return ""
    lengths = sorted({len(word) for word in varying})
    times = f"{{{lengths[0]}}}" if len(lengths) == 1 else f"{{{lengths[0]},}}"
    # A quotation mark would end the text in plugins.toml.
    return f"{re.escape(start)}{kind}{times}{re.escape(end)}".replace("'", r"\x27")


def _shared(words: Sequence[str]) -> str:
    """What all words begin with."""
    columns = takewhile(lambda column: len(set(column)) == 1, zip(*words, strict=False))
    return "".join(column[0] for column in columns)


def _up_to_a_sign(text: str) -> str:
    """The text up to its last character that is no letter or digit: letters that happen to agree are left out."""
    return text[: max((index + 1 for index, one in enumerate(text) if not one.isalnum()), default=0)]

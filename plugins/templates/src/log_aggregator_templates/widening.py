"""What a variable part shows when the lines of a pattern show different things there."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"\{[A-Z][A-Z0-9_]*\}")
VAR = "{VAR}"
"""Shown for what was learned to be variable, or is more than one kind of thing."""

STR = "{STR}"
"""Shown for a variable text in quotes."""

LIST = "{LIST}"
"""Shown for a list of words, whatever else was seen in its place."""

_UNITS = re.compile(r"(?<=\{TIME\}) ?[a-zA-Zµμ]{1,12}(?!\w)")


def widen(text: str, other: str) -> str:
    """What a variable part shows when lines show `text` and `other` there.

    Commutative, associative and idempotent: the order in which lines come does not matter.
    """
    if text == other:
        return text
    kinds = _kinds(text) | _kinds(other)
    if LIST in kinds:
        return LIST
    if len(kinds) == 1:
        return kinds.pop()
    if kinds == {"{ID}", "{NUM}"}:
        return "{NUM}"
    return VAR


def _kinds(text: str) -> set[str]:
    kinds = set(PLACEHOLDER.findall(text))
    rest = PLACEHOLDER.sub("", _UNITS.sub("", text) if "{TIME}" in text else text)
    if not kinds or any(map(str.isalnum, rest)):
        kinds.add(VAR)
    return kinds

"""Long lists of alternatives, taken apart and put together again."""

from __future__ import annotations

import re


def alternatives(expression: str) -> list[str]:
    """The alternatives of an expression that stand outside of all groups."""
    found, depth, start, at = [], 0, 0, 0
    while at < len(expression):
        sign = expression[at]
        if sign == "\\":
            at += 1
        elif sign == "[":
            at = _end_of_class(expression, at)
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == "|" and not depth:
            found.append(expression[start:at])
            start = at + 1
        at += 1
    return [*found, expression[start:]]


def _end_of_class(expression: str, at: int) -> int:
    at += 2 if expression[at + 1] == "^" else 1
    if expression[at] == "]":
        at += 1
    while expression[at] != "]":
        at += 2 if expression[at] == "\\" else 1
    return at


_GROUP = re.compile(r"\(\?:([^()]+)\)(?![?*+{])")
_BEGINNING = re.compile(r"\w(?![?*+{])")


def by_letter(expression: str) -> str:
    """The same alternatives, with those that begin with the same letter in one group.

    `re` tries one alternative after the other, so that two hundred of them cost ten times as much as twenty groups.
    Alternatives of one letter stay in their order; of two letters, only one can match.
    """
    groups: dict[str, list[str]] = {}
    others: list[str] = []
    for one in _spread(expression):
        if _BEGINNING.match(one):
            groups.setdefault(one[0], []).append(one[1:])
        else:
            others.append(one)
    return "|".join([*(f"{letter}(?:{'|'.join(rests)})" for letter, rests in groups.items()), *others])


def _spread(expression: str) -> list[str]:
    """The alternatives, those of a group at their beginning as such: `(?:a|b)c` is `ac` and `bc`."""
    found = []
    for one in alternatives(expression):
        group = _GROUP.match(one)
        heads = alternatives(group[1]) if group else [""]
        found += [head + one[group.end() if group else 0 :] for head in heads]
    return found

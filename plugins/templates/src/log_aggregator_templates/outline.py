"""The outline of a template: what remains for comparing templates whose separators differ."""

from __future__ import annotations

import re
from sys import intern
from typing import NamedTuple

_UNIT = re.compile(r"[^\s=]+=?|=")
_PLACEHOLDER = re.compile(r"\{[A-Z][A-Z0-9_]*\}")
_LETTERS = re.compile(r"[^\W_]")
_ENDS = "\"'.,;:)]}>"


class Outline(NamedTuple):
    """A template in units between blanks. `key` has the plain units, and one mark for variable ones in a row.

    `parts` are the texts of the variable rows, in order; `held` counts the plain units with letters.
    """

    key: tuple[str, ...]
    parts: tuple[str, ...]
    held: int


def outline(text: str) -> Outline:
    """The outline of a template's text."""
    key: list[str] = []
    parts: list[str] = []
    held = 0
    for unit in _UNIT.findall(text):
        if _PLACEHOLDER.search(unit) and not unit.endswith("="):
            if key and not key[-1]:
                parts[-1] += " " + unit
            else:
                key.append("")
                parts.append(unit)
        else:
            held += 1 if _LETTERS.search(unit) else 0
            key.append(intern(unit))
    return Outline(tuple(key), tuple(parts), held)


def is_bare(part: str) -> bool:
    """Is a variable row nothing but placeholders?"""
    return not _LETTERS.search(_PLACEHOLDER.sub("", part))


def covers(general: Outline, other: Outline) -> bool:
    """Do both say the same, and is `general` bare wherever they differ, so that it can stand for both?"""
    return all(
        mine == theirs or (is_bare(mine) and _ending(mine) == _ending(theirs))
        for mine, theirs in zip(general.parts, other.parts, strict=True)
    )


def _ending(part: str) -> str:
    end = part[-1]
    return end if end in ",;:" else ""

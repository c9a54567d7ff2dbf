"""How a text reads once tricks of spelling are undone, and which part of the text each character stands for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

ESCAPES = r"%[0-9a-f]{2}|\\u[0-9a-f]{4}|&(?:quot|apos|amp|lt|gt|#[0-9x])"
"""In lower case, RE2: whether a text may hold escapes."""

_ESCAPE = re.compile(
    r"%([2-7][0-9A-Fa-f])|\\+u00([2-7][0-9A-Fa-f])|&(?:(quot|apos|amp|lt|gt)|#(\d{2,3})|#x([2-7][0-9A-Fa-f]));"
)
_ENTITIES = {"quot": '"', "apos": "'", "amp": "&", "lt": "<", "gt": ">"}
_DEEPEST = 3
"""Times that escapes are undone: `%2522` is a quote that was escaped twice."""


class View(NamedTuple):
    """A text as it is searched. Character `i` of `text` stands for the characters from `starts[i]` on.

    Without `starts` it is the text itself.
    """

    text: str
    starts: Sequence[int] | None = None

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """The span of the original text that a span of the view stands for."""
        return (start, stop) if self.starts is None else (self.starts[start], self.starts[stop])


@cache
def _spellings() -> dict[int, str | None]:
    """Characters that read as an ASCII character, and characters that are not seen at all."""
    table: dict[int, str | None] = {}
    for first, last in ((0x80, 0x3100), (0xFB00, 0x10000), (0x1D400, 0x1D800), (0x1F100, 0x1F200), (0xE0000, 0xE0200)):
        for code in range(first, last):
            character = chr(code)
            plain = unicodedata.normalize("NFKC", character)
            if unicodedata.category(character) == "Cf" or _is_unseen(code):
                table[code] = None
            elif len(plain) == 1 and plain.isascii() and not plain.isspace():
                table[code] = plain
    return table


def _is_unseen(code: int) -> bool:
    """Whether a character shows nothing by itself. Marks behind letters count as such: `o` and its dots are `o`."""
    return (
        0x0300 <= code < 0x0370
        or code in (0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0)
        or 0xFE00 <= code <= 0xFE0F
        or code >= 0xE0000
    )


@cache
def _odd() -> re.Pattern[str]:
    """Finds a character that `plain` changes."""
    return _any_of(_spellings())


@cache
def _unseen() -> re.Pattern[str]:
    """Finds characters that are not seen."""
    return _any_of(code for code, plain in _spellings().items() if plain is None)


def _any_of(codes: Iterable[int]) -> re.Pattern[str]:
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in runs) + "]+")


def is_odd(text: str) -> bool:
    """Whether a text has characters that read as ASCII characters, or that are not seen."""
    return not text.isascii() and _odd().search(text) is not None


def normalized(text: str) -> str:
    """A text as it reads: full-width letters as ASCII letters, without what is not seen."""
    return text.translate(_spellings()) if is_odd(text) else text


def plain(text: str) -> View:
    """The view of a text without tricks of spelling."""
    if not is_odd(text):
        return View(text)
    starts: list[int] = []
    at = 0
    for unseen in _unseen().finditer(text):
        starts += range(at, unseen.start())
        at = unseen.end()
    return View(text.translate(_spellings()), [*starts, *range(at, len(text) + 1)] if at else None)


def unescaped(view: View) -> View | None:
    """The view with escaped ASCII characters as such: `%3D`, `\\u003d` and `&#61;` are `=`. `None` without any."""
    found = None
    for _ in range(_DEEPEST):
        if not _ESCAPE.search(view.text):
            break
        view = found = _once_unescaped(view)
    return found


def _once_unescaped(view: View) -> View:
    starts = view.starts if view.starts is not None else range(len(view.text) + 1)
    texts: list[str] = []
    places: list[int] = []
    at = 0
    for escape in _ESCAPE.finditer(view.text):
        character = _character(escape)
        if character is None:
            continue
        texts += (view.text[at : escape.start()], character)
        places += starts[at : escape.start() + 1]
        at = escape.end()
    texts.append(view.text[at:])
    places += starts[at:]
    return View("".join(texts), places)


def _character(escape: re.Match[str]) -> str | None:
    percent, unicode_, entity, decimal, hexadecimal = escape.groups()
    if entity:
        return _ENTITIES[entity]
    code = int(decimal) if decimal else int(percent or unicode_ or hexadecimal, 16)
    return chr(code) if 0x20 <= code < 0x7F else None

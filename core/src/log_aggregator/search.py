"""The syntax of a search, the same everywhere: words, "phrases", -not, and fields such as level:error.

Terms are separated by spaces, and all must hold: `timeout -retry level:error,fatal source:shop-* seen:<1h`.
"""

from __future__ import annotations

import difflib
import re
from typing import Literal, NamedTuple, cast

from log_aggregator.model.fields.levels import fold

Field = Literal["text", "level", "source", "category", "id", "meta", "var", "seen"]

FIELDS = ("level", "source", "category", "id", "meta", "var", "seen")
MOST_TERMS = 50
LONGEST_TERM = 1000
SYNTAX = (
    'words, "a phrase", -word, level:error, source:shop-*, category:…, id:…, meta.region:eu, var.ID:7, seen:<1h; '
    "all must hold"
)

_NAME = re.compile(r"([A-Za-z]{2,20})(?:\.([^\s:\"]{1,128}))?:")
_ID = re.compile(r"[0-9a-f]{16}")
_SEEN = re.compile(r"([<>])(\d{1,6})([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_CLOSE = 0.75


class SearchError(ValueError):
    """The text is no search. `column` counts from 1."""

    def __init__(self, column: int, problem: str) -> None:
        super().__init__(f"column {column}: {problem}")
        self.column = column


class Term(NamedTuple):
    """One condition: any of `values` holds, or with `negated` none. `key` is of `meta` and `var`.

    The one value of `seen` is `<` or `>` and a number of seconds.
    """

    field: Field
    values: tuple[str, ...]
    negated: bool = False
    key: str = ""


def parse_search(text: str) -> tuple[Term, ...]:
    """The terms of a search. Raises `SearchError`."""
    terms: list[Term] = []
    place = 0
    while True:
        while place < len(text) and text[place].isspace():
            place += 1
        if place >= len(text):
            return tuple(terms)
        if len(terms) == MOST_TERMS:
            raise SearchError(place + 1, f"expected at most {MOST_TERMS} terms")
        start = place
        term, place = _term(text, start)
        if place - start > LONGEST_TERM:
            raise SearchError(start + 1, f"expected at most {LONGEST_TERM} characters in a term")
        terms.append(term)


def _term(text: str, start: int) -> tuple[Term, int]:
    place = start
    negated = text[place] == "-" and place + 1 < len(text) and not text[place + 1].isspace()
    if negated:
        place += 1
    name = _NAME.match(text, place)
    known = name[1].lower() if name else ""
    if name and known in FIELDS:
        values, end = _values(text, name.end())
        return _checked(cast("Field", known), name[2] or "", values, start + 1, negated=negated), end
    if name and (near := difflib.get_close_matches(known, FIELDS, 1, _CLOSE)):
        raise SearchError(start + 1, f"{known}: unknown field; did you mean '{near[0]}'? In quotes it is a text")
    value, end = _value(text, place, stop="")
    if not value:
        raise SearchError(place + 1, "expected a text in the quotes")
    return Term("text", (value,), negated), end


def _values(text: str, place: int) -> tuple[list[tuple[str, int]], int]:
    """Values with their columns, separated by commas."""
    found = []
    while True:
        value, end = _value(text, place, stop=",")
        if not value:
            raise SearchError(place + 1, "expected a value after the colon or comma, without a space")
        found.append((value, place + 1))
        if end >= len(text) or text[end] != ",":
            return found, end
        place = end + 1


def _value(text: str, place: int, stop: str) -> tuple[str, int]:
    """A text up to the next space or `stop`; in quotes, up to the closing one (`\\"` stands for a quote)."""
    if place < len(text) and text[place] == '"':
        found, here = [], place + 1
        while here < len(text) and text[here] != '"':
            here += 1 if text[here] == "\\" and text[here + 1 : here + 2] in ('"', "\\") else 0
            found.append(text[here : here + 1])
            here += 1
        if here >= len(text):
            raise SearchError(place + 1, "the quote is not closed")
        return "".join(found), here + 1
    end = place
    while end < len(text) and not text[end].isspace() and text[end] != stop:
        end += 1
    return text[place:end], end


def _checked(field: Field, key: str, values: list[tuple[str, int]], column: int, *, negated: bool) -> Term:
    if field in ("meta", "var") and not key:
        raise SearchError(column, f"{field}: expected a key, as in {field}.region:eu")
    if field not in ("meta", "var") and key:
        raise SearchError(column, f"{field}: takes no key; expected {field}:value")
    if field == "seen" and len(values) > 1:
        raise SearchError(values[1][1], "seen: expected one time, such as seen:<1h")
    return Term(field, tuple([_read(field, value, at) for value, at in values]), negated, key)


def _read(field: Field, value: str, column: int) -> str:
    if field == "level":
        return fold(value)[0]
    if field == "id":
        if not _ID.fullmatch(value.lower()):
            raise SearchError(column, f"id: {value[:40]!r}; expected 16 hex digits")
        return value.lower()
    if field == "seen":
        found = _SEEN.fullmatch(value)
        if not found:
            raise SearchError(column, f"seen: {value[:40]!r}; expected < or > and a time, such as seen:<1h")
        return f"{found[1]}{int(found[2]) * _UNITS[found[3]]}"
    return value

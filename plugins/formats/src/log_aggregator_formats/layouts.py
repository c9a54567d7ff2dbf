"""Where messages of one shape hold their parts: found out once, then cut out without any expression.

Messages of a shape differ in ASCII digits only. An expression that asks for any digit (`\\d`), never for certain ones,
matches all of them at the same places. Where those are is found with a *probe*: the message with each digit replaced by
a decimal digit of another script, no two of them equal. A part without a digit is the same in all messages of the shape;
one with a digit is in the probe once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import tzinfo
from functools import lru_cache

from log_aggregator_formats.found import Found

Step = Callable[[Found], bool]

Span = tuple[int, int]

_LEVEL_WITH_DIGIT = re.compile(r"debug\d")

MOST_DIGITS = 400
"""Digits of a message that may have a layout."""


class Layout:
    """The places of the parts in messages of one shape."""

    __slots__ = ("_days", "_fields", "_level", "_source", "_text", "_times", "_varying")

    def __init__(self, probe: _Probe) -> None:
        """Raises `ValueError` where a part is no piece of the message."""
        self._level = probe.level
        self._text = slice(*_span(probe.text, probe.whole))
        self._times = [slice(*_span(text, probe.whole)) for text in probe.times]
        self._days = [[slice(*_span(part, probe.whole)) for part in day] for day in probe.days]
        self._fields: dict[str, str] = {}
        self._varying: list[tuple[str, slice]] = []
        self._source: str | slice = probe.source
        if _has_digit(probe.source):
            self._source = slice(*_span(probe.source, probe.whole))
        for name, value in probe.fields.items():
            if type(value) is not str or _has_digit(name):
                raise ValueError(f"{name}: no piece of the message")
            self._fields[name] = value
            if _has_digit(value):
                self._varying.append((name, slice(*_span(value, probe.whole))))

    def read(self, message: str, now: int, zone: tzinfo) -> Found:
        """The parts of a message of the shape."""
        fields = self._fields.copy()
        for name, place in self._varying:
            fields[name] = message[place]
        source = self._source if isinstance(self._source, str) else message[self._source]
        found = Found(message[self._text], now, zone, self._level, source, fields=fields)
        for place in self._times:
            found.take_time(message[place])
        for month, day, clock in self._days:
            found.take_day(message[month], message[day], message[clock])
        return found


class _Probe(Found):
    """Notes which pieces are taken for times."""

    whole: str = ""
    times: list[str] = []  # noqa: RUF012  msgspec makes a new one for each
    days: list[tuple[str, str, str]] = []  # noqa: RUF012

    def take_time(self, text: str) -> bool:
        self.times.append(text)
        return True

    def take_day(self, month: str, day: str, clock: str) -> bool:
        self.days.append((month, day, clock))
        return True


def layout_of(way: tuple[Step, ...], message: str, zone: tzinfo) -> Layout | None:
    """The layout of the messages that have the shape of this one; `None` where they have none.

    All steps of the way must treat any digit as any other, but for the times that they take.
    """
    probe = probe_of(message)
    if probe is None:
        return None
    told = _Probe(probe, 0, zone, whole=probe)
    for step in way:
        level = told.level
        if not step(told) and told.level == level:
            return None
    if not told.text or told.text.isspace() or (told.times and told.days) or len(told.days) > 1:
        return None
    try:
        return Layout(told)
    except ValueError:
        return None


def probe_of(message: str) -> str | None:
    """The message with digits of other scripts, each another; `None` where it has such itself, or too many."""
    if _has_digit(message) or has_certain_digit(message):
        return None
    signs = iter(_signs())
    try:
        return "".join([next(signs) if "0" <= sign <= "9" else sign for sign in message])
    except StopIteration:
        return None


def has_certain_digit(text: str) -> bool:
    """Whether there is one of the few digits that expressions ask for: those of PostgreSQL's `DEBUG1` to `DEBUG5`."""
    return "debug" in (lower := text.lower()) and _LEVEL_WITH_DIGIT.search(lower) is not None


def _span(piece: str, whole: str) -> Span:
    """Raises `ValueError` where the piece is not in the whole."""
    start = whole.index(piece)
    return start, start + len(piece)


def _has_digit(text: str) -> bool:
    return not text.isascii() and any(sign.isdecimal() and not sign.isascii() for sign in text)


@lru_cache(maxsize=1)
def _signs() -> tuple[str, ...]:
    every = (chr(code) for code in range(128, min(sys.maxunicode, 0x1FC00)))
    return tuple(sign for sign in every if sign.isdecimal())[:MOST_DIGITS]

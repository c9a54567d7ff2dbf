"""What counts as a number in a value of metadata, and with which unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

LARGEST = 1e15
"""Numbers beyond it are identifiers rather than amounts."""

MIXED = "mixed"
"""The unit of numbers that came with different units."""


class NumberColumn(NamedTuple):
    """Numbers of one unit, or of `MIXED` ones, and how often each came; `None`: each came once."""

    numbers: Sequence[float]
    unit: str
    times: Sequence[int] | None = None


_NAMES = {
    ("s", 1e-9): "ns nsec nsecs nanos nanosecond nanoseconds",
    ("s", 1e-6): "us µs μs usec usecs micros microsecond microseconds",
    ("s", 1e-3): "ms msec msecs millis millisecond milliseconds",
    ("s", 1.0): "s sec secs second seconds",
    ("s", 60.0): "m min mins minute minutes",
    ("s", 3600.0): "h hr hrs hour hours",
    ("s", 86400.0): "d day days",
    ("B", 1.0): "b byte bytes",
    ("B", 1e3): "kb",
    ("B", 1e6): "mb",
    ("B", 1e9): "gb",
    ("B", 1e12): "tb",
    ("B", 1024.0): "kib",
    ("B", 1024.0**2): "mib",
    ("B", 1024.0**3): "gib",
    ("B", 1024.0**4): "tib",
    ("%", 1.0): "%",
}
_UNITS = {name: meaning for meaning, names in _NAMES.items() for name in names.split()} | {"": ("", 1.0)}
_UNITS |= {name.upper(): meaning for name, meaning in _UNITS.items() if name == "b" or (name.isascii() and name[1:])}
_UNITS |= {name.capitalize(): meaning for name, meaning in _UNITS.items() if len(name) > 2}
_UNITS |= {"kB": ("B", 1e3), "KiB": ("B", 1024.0), "MiB": ("B", 1024.0**2), "GiB": ("B", 1024.0**3)}
_UNITS |= {"TiB": ("B", 1024.0**4)}
_DIGITS = r"[+-]?\d{1,15}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,2})?"
_NUMBER = re.compile(rf"({_DIGITS})\s?([A-Za-zµμ%]{{0,12}})", re.ASCII)
_COLUMN = re.compile(rf"{_DIGITS}(?: {_DIGITS})*+", re.ASCII)
_IN_NUMBERS = "+-.0123456789"
_BLANKS = " \t\n\r\f\v"
_LONGEST = 32
_MOST_DIGITS = 15
_FEW = 16
"""Texts that are read one by one: of so few, many are remembered."""

_SHORT = 10
"""Characters of a text whose number is remembered: durations and sizes come again, long identifiers do not."""
_NUMBER_STARTS = frozenset("+-0123456789")


def parse_number(value: Any) -> tuple[float, str] | None:
    """The number in a metadata value and its unit (`s`, `B`, `%` or none), else `None`.

    Numbers with a unit of time or size are converted to seconds or bytes. Not numbers here: truth
    values, numbers beyond 1e15, which are identifiers rather than amounts, and units that mean
    different things to different people (`5M`, `10K`).
    """
    kind = type(value)
    if kind is str:
        if value[:1] not in _NUMBER_STARTS or not value or len(value) > _LONGEST:
            return None
        return _parse_short(value) if len(value) <= _SHORT else _parse_text(value)
    if kind is int or kind is float or (isinstance(value, int | float) and kind is not bool):
        return (float(value) + 0.0, "") if -LARGEST < value < LARGEST else None
    return None


def read_numbers(counts: Mapping[Any, int], kind: type | None, *, once: bool = False) -> NumberColumn | None:
    """Those of some values that are numbers: as `parse_number` of each. `None`: there are none.

    `counts`: how often each value came; `once`: each came once; `kind`: the type of all of them, if they have one.
    Most columns are whole numbers, words, or texts with one unit: one look at all of them together says so.
    """
    times = None if once else list(counts.values())
    if kind is str:
        starts = {value[:1] for value in counts}
        if starts.isdisjoint(_NUMBER_STARTS):
            return None
        whole = "".join(counts)
        if whole.isdecimal() and whole.isascii() and "" not in starts and max(map(len, counts)) <= _MOST_DIGITS:
            return NumberColumn(list(map(float, counts)), "", times)
        if len(counts) > _FEW and (column := _with_one_unit(list(counts))) is not None:
            return column._replace(times=times)
    elif kind is int and min(counts) > -LARGEST and max(counts) < LARGEST:
        return NumberColumn(list(map(float, counts)), "", times)
    elif kind is bool or kind is type(None):
        return None
    return numbers_of(counts.items())


def numbers_of(counts: Iterable[tuple[Any, int]]) -> NumberColumn | None:
    """As `read_numbers`, value by value."""
    numbers: list[float] = []
    times: list[int] = []
    the_unit: str | None = None
    for value, count in counts:
        found = parse_number(value)
        if found is not None:
            number, unit = found
            numbers.append(number)
            times.append(count)
            if unit != the_unit:
                the_unit = unit if the_unit is None else MIXED
    return NumberColumn(numbers, the_unit, times) if the_unit is not None else None


def _with_one_unit(values: list[str]) -> NumberColumn | None:
    """The numbers of texts that all end with one unit, written alike; `None`: look at each of them."""
    tail = values[0].lstrip(_IN_NUMBERS)
    if tail:
        unit = _UNITS.get(tail[1:] if tail[0] in _BLANKS else tail)
        if unit is None or [value for value in values if not value.endswith(tail)]:
            return None
        size = len(tail)
        values = [value[:-size] for value in values]
    else:
        unit = _UNITS[""]
    whole = " ".join(values)
    if max(map(len, values)) > _LONGEST - len(tail) or whole.count(" ") >= len(values) or not _COLUMN.fullmatch(whole):
        return None
    name, factor = unit
    numbers = [float(value) * factor + 0.0 for value in values]
    return NumberColumn(numbers, name) if min(numbers) > -LARGEST and max(numbers) < LARGEST else None


def _parse_text(value: str) -> tuple[float, str] | None:
    if value.isdecimal() and value.isascii():
        return (float(value), "") if len(value) <= _MOST_DIGITS else None
    digits, _, name = value.partition(" ") if " " in value else ("", "", "")
    if (
        not digits.isdecimal() or not digits.isascii() or len(digits) > _MOST_DIGITS
    ):  # else the usual form: no need of the regex
        match = _NUMBER.fullmatch(value)
        if match is None:
            return None
        digits, name = match.groups()
    unit = _UNITS.get(name)
    if unit is None:
        return None
    number = float(digits) * unit[1] + 0.0
    return (number, unit[0]) if -LARGEST < number < LARGEST else None


_parse_short = lru_cache(maxsize=4096)(_parse_text)

"""What counts as a number in a value of metadata, and with which unit."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Any

LARGEST = 1e15
"""Numbers beyond it are identifiers rather than amounts."""

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
_NUMBER = re.compile(r"([+-]?\d{1,15}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,2})?)\s?([A-Za-zµμ%]{0,12})", re.ASCII)
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
        if value[:1] not in _NUMBER_STARTS or not value or len(value) > 32:
            return None
        return _parse_short(value) if len(value) <= _SHORT else _parse_text(value)
    if kind is int or kind is float or (isinstance(value, int | float) and kind is not bool):
        return (float(value) + 0.0, "") if -LARGEST < value < LARGEST else None
    return None


def parse_numbers(counts: Collection[tuple[Any, int]]) -> list[tuple[float, str, int]]:
    """Those of some values that are numbers, each with its unit and how often it came: as `parse_number` of each.

    Most texts are all words or all digits: one look at all of them together says so.
    """
    values = [value for value, _ in counts]
    if {str}.issuperset(map(type, values)):
        starts = {value[:1] for value in values}
        if starts.isdisjoint(_NUMBER_STARTS):
            return []
        whole = "".join(values)
        if whole.isdecimal() and whole.isascii() and "" not in starts and max(map(len, values)) <= 15:
            return [(float(value), "", count) for value, count in counts]
    return [(*number, count) for value, count in counts if (number := parse_number(value)) is not None]


def _parse_text(value: str) -> tuple[float, str] | None:
    if value.isdecimal() and value.isascii():
        return (float(value), "") if len(value) <= 15 else None
    digits, _, name = value.partition(" ") if " " in value else ("", "", "")
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 15:  # else the usual form: no need of the regex
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

"""Draws that make a fair sample of values: the higher of two draws is distributed like one draw of both counts.

A value that came `n` times draws ln(n) plus a Gumbel number, to four places: more would only lengthen the JSON.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Collection, Mapping

MAX_DRAWS = 16
"""Draws that are kept, the highest."""

_FEW = 3 * MAX_DRAWS
"""Values of which each is drawn: of so few, that costs less than to look for the highest only."""

_FEWER = 8
"""Values for which numbers are computed: of so few, that costs less than to choose computed ones."""

_STEPS = 4096
"""Gumbel numbers that are computed once, each for 16 of the 2**16 texts of two random bytes."""

_TAIL = 64
"""The highest steps, whose numbers are drawn exactly: they decide which draws are the highest."""

_TO_DRAW = math.inf
"""Stands for a number of the tail."""


def draws_of(counts: Mapping[str, int]) -> dict[str, float]:
    """Draws for values by how often each came; of thousands that came once only the highest.

    The highest of `n` draws are made directly, as order statistics, so that thousands of values that
    came once cost no more than a few.
    """
    if len(counts) <= _FEW:
        return _drawn(counts)
    draws = _drawn({value: count for value, count in counts.items() if count > 1})
    once = [value for value, count in counts.items() if count == 1]
    waited = 0.0
    for position, value in enumerate(random.sample(once, min(len(once), MAX_DRAWS))):
        chance = random.random() or 0.5  # noqa: S311  statistics, not secrets
        waited -= math.log(chance) / (len(once) - position)
        draws[value] = _rounded(-math.log(waited))
    return draws


def highest(draws: dict[str, float]) -> dict[str, float]:
    """The `MAX_DRAWS` highest draws, of equal ones those whose texts come first."""
    if len(draws) <= MAX_DRAWS:
        return draws
    least = sorted(draws.values())[-MAX_DRAWS]
    found = {value: draw for value, draw in draws.items() if draw >= least}
    return found if len(found) == MAX_DRAWS else {value: draws[value] for value in descending(draws, MAX_DRAWS)}


def descending(numbers: Mapping[str, float], most: int) -> list[str]:
    """The texts of the `most` highest numbers, highest first, those of equal numbers by text."""
    texts = sorted(numbers)
    texts.sort(key=numbers.__getitem__, reverse=True)
    return texts[:most]


def _drawn(counts: Mapping[str, int]) -> dict[str, float]:
    """A draw for each value."""
    if len(counts) <= _FEWER or max(counts.values()) > 1:
        log, floor, chance = math.log, math.floor, random.random
        return {
            value: floor((log(count) - log(-log(chance() or 0.5))) * 10_000 + 0.5) / 10_000
            for value, count in counts.items()
        }
    chances = array("H", random.randbytes(2 * len(counts)))  # noqa: S311  statistics, not secrets
    numbers = list(map(_numbers().__getitem__, chances))
    if _TO_DRAW in numbers:
        numbers = [_tail() if number == _TO_DRAW else number for number in numbers]
    return dict(zip(counts, numbers, strict=True))


_computed: list[float] = []


def _numbers() -> list[float]:
    """Gumbel numbers by two bytes, ascending; those of the tail are to be drawn."""
    if not _computed:
        middles = [(step + 0.5) / _STEPS for step in range(_STEPS - _TAIL)]
        steps = [_rounded(-math.log(-math.log(middle))) for middle in middles] + [_TO_DRAW] * _TAIL
        _computed.extend([number for number in steps for _ in range(2**16 // _STEPS)])
    return _computed


def _tail() -> float:
    """A Gumbel number above all that are computed once."""
    above = (random.random() or 0.5) * _TAIL / _STEPS  # noqa: S311  statistics, not secrets
    return _rounded(-math.log(-math.log1p(-above)))


def _rounded(draw: float) -> float:
    """To four places. `round` costs three times as much."""
    return math.floor(draw * 10_000 + 0.5) / 10_000


def is_above(draws: Mapping[str, float], kept: Collection[float]) -> dict[str, float]:
    """Those of `draws` that may be among the highest beside `kept`."""
    if len(kept) < MAX_DRAWS:
        return dict(draws)
    least = min(kept)
    return {value: draw for value, draw in draws.items() if draw >= least}

"""Which values of a metadata key are kept and how often they came, in bounded space and in any order of merging.

Up to `MAX_VALUES` distinct values, all are kept with exact counts. Beyond, three small parts answer what
readers ask, and each of them merges exactly:

- *kept*: the values with the lowest checksums. The lowest of a union are the lowest of the lowest, and
  a value that is kept was counted from its first occurrence. They tell how many distinct values there
  are (a bottom-k sketch, Cohen & Kaplan 2007).
- *drawn*: every value that came `n` times draws ln(n) plus a Gumbel number; the highest draws are
  kept. The higher of two draws is distributed like one draw of the summed count, so this is a sample of
  values by how often they came, without replacement: one value of half the logs is missing once in
  50,000 (Gumbel-max; Cohen's "ppswor" for streams). The draw is made once, when logs are folded.
- *cells*: two rows of `CELLS` counters, each value adding to one cell a row. They add up, and estimate
  the counts of the drawn values from above (Count-Min, Cormode & Muthukrishnan 2005).
"""

from __future__ import annotations

import heapq
import math
import random
import zlib
from collections.abc import Iterable, Mapping
from operator import add
from typing import Annotated, Any

import msgspec
from msgspec import Meta

MAX_VALUES = 16
"""Distinct values kept per key."""

CELLS = 32
"""Counters in a row: a value of more than one log in `CELLS` is listed as frequent."""

MOST = 2**53
"""The highest count that is believed when a summary is read back: other programs may have written it."""

Count = Annotated[int, Meta(ge=1, le=MOST)]

_FEW = 3 * MAX_VALUES
"""Values of which each is drawn and sorted: of so few, that costs less than to look for the highest only."""

_RANKS = 2**32
_MIX, _MIX_2 = 0x9E3779B1, 0x85EBCA6B
_NO_CELLS = (0,) * (2 * CELLS)


class Values(msgspec.Struct, gc=False):
    """The values of one key. `cells` is empty as long as `kept` holds all values there were."""

    kept: dict[str, int] = {}
    draws: dict[str, float] = {}
    cells: list[int] = []

    @property
    def complete(self) -> bool:
        """Whether every value is kept and every count exact."""
        return not self.cells

    def distinct(self, count: int) -> int:
        """How many distinct values there were among `count`: exact when complete, else estimated."""
        if self.complete:
            return len(self.kept)
        highest = max(_ranked(self.kept))[0]
        estimate = round((len(self.kept) - 1) * _RANKS / max(highest, 1))
        return max(len(self.kept) + 1, min(estimate, count))

    def frequent(self, count: int) -> list[tuple[str, int]]:
        """Values with their counts, most frequent first; the counts of an incomplete set are estimated.

        `count` is the number of logs. Of an incomplete set, the drawn values that are no rarer than one
        log in `CELLS` come with what their cells say, the kept ones with their exact counts.
        """
        counts = dict(self.kept)
        if not self.complete:
            counts |= self._estimates(count)
        return [(value, counts[value]) for value in _descending(counts)]

    def _estimates(self, count: int) -> dict[str, int]:
        """Counts of drawn values, the largest first, each taken out of the cells before the next.

        A rare value that shares its cells with a frequent one is so not mistaken for it: of the two,
        the frequent one has the higher draw.
        """
        rest = count - sum(self.kept.values())
        if _share(min(max(self.cells[:CELLS]), max(self.cells[CELLS:])), rest) * CELLS <= count:
            return {}  # not even a value that had the fullest cells alone would be frequent
        cells = [all_of - kept for all_of, kept in zip(self.cells, _cells_so_far(self.kept), strict=True)]
        places = {value: _places(value) for value in self.draws if value not in self.kept}
        found: dict[str, int] = {}
        while places:
            estimates = {value: min(cells[one], cells[two]) for value, (one, two) in places.items()}
            highest = max(estimates.values())
            estimate = _share(highest, rest)
            if estimate * CELLS <= count:
                break
            ties = [value for value in estimates if estimates[value] == highest]
            value = max(ties, key=lambda value: (self.draws[value], value))
            found[value] = estimate
            rest -= estimate
            for place in places.pop(value):
                cells[place] -= estimate
        return found


def fold(counts: Mapping[str, int]) -> Values:
    """The values of some logs, from how often each came. Draws random numbers."""
    if len(counts) <= MAX_VALUES:
        return Values(dict(counts), _drawn(counts))
    ranked = _ranked(counts)
    lowest = sorted(ranked)[:MAX_VALUES] if len(ranked) <= _FEW else heapq.nsmallest(MAX_VALUES, ranked)
    kept = {value: counts[value] for _, value in lowest}
    return Values(kept, _highest(_draws(counts)), _count_cells(list(_NO_CELLS), ranked, counts))


def merge_values(a: Values, b: Values) -> Values:
    """Merge two into a new one; neither is changed. Associative and commutative, exactly."""
    kept = dict(a.kept)
    for value, count in b.kept.items():
        kept[value] = kept.get(value, 0) + count
    draws = dict(a.draws)
    for value, draw in b.draws.items():
        known = draws.get(value)
        if known is None or draw > known:
            draws[value] = draw
    if a.complete and b.complete and len(kept) <= MAX_VALUES:
        return Values(kept, draws)
    ranked = _ranked(kept)
    cells = _merged_cells(a, b, ranked, kept)
    if len(ranked) > MAX_VALUES:
        kept = {value: kept[value] for _, value in sorted(ranked)[:MAX_VALUES]}
    return Values(kept, _highest(draws), cells)


def values_to_json(values: Values, count: int) -> dict[str, Any]:
    """What readers see of the values of `count` logs, and under `state` what merging needs."""
    frequent = values.frequent(count)
    state: dict[str, Any] = {"draws": values.draws}
    if not values.complete:
        state |= {"kept": values.kept, "cells": values.cells}
    return {
        "distinct": values.distinct(count),
        "complete": values.complete,
        "values": [{"value": value, "count": number} for value, number in frequent],
        "state": state,
    }


_Counts = Annotated[dict[str, Count], Meta(max_length=MAX_VALUES)]
_Draw = Annotated[float, Meta(ge=-1000, le=1000)]
_Cell = Annotated[int, Meta(ge=0, le=MOST)]


class _State(msgspec.Struct):
    draws: Annotated[dict[str, _Draw], Meta(max_length=MAX_VALUES)]
    kept: _Counts = {}
    cells: list[_Cell] = []


class _Listed(msgspec.Struct):
    value: str
    count: Count


class _Complete(msgspec.Struct):
    values: Annotated[list[_Listed], Meta(min_length=1, max_length=MAX_VALUES)]


def values_from_json(stored: Mapping[str, Any]) -> Values:
    """Read the values back. Raises `msgspec.ValidationError` when they are not of this form."""
    state = msgspec.convert(stored.get("state"), _State)
    if len(state.cells) not in (0, 2 * CELLS):
        raise msgspec.ValidationError(f"expected {2 * CELLS} cells or none")
    if state.cells:
        if not state.kept:
            raise msgspec.ValidationError("expected values beside the cells")
        return Values(state.kept, state.draws, state.cells)
    listed = msgspec.convert(stored, _Complete).values
    return Values({entry.value: entry.count for entry in listed}, state.draws)


def lowest_keys(keys: Iterable[str], most: int) -> list[str]:
    """The `most` texts with the lowest checksums: a choice that does not depend on any order."""
    return [text for _, text in sorted(_ranked(keys))[:most]]


def _ranked(texts: Iterable[str]) -> list[tuple[int, str]]:
    checksum = zlib.crc32
    return [(checksum(text.encode("utf-8", "surrogatepass")), text) for text in texts]


def _highest(draws: dict[str, float]) -> dict[str, float]:
    if len(draws) <= MAX_VALUES:
        return draws
    least = sorted(draws.values())[-MAX_VALUES]
    highest = {value: draw for value, draw in draws.items() if draw >= least}
    return highest if len(highest) == MAX_VALUES else {value: draws[value] for value in _descending(draws)}


def _descending(numbers: Mapping[str, float]) -> list[str]:
    """The texts of the `MAX_VALUES` highest numbers, highest first, those of equal numbers by text."""
    texts = sorted(numbers)
    texts.sort(key=numbers.__getitem__, reverse=True)
    return texts[:MAX_VALUES]


def _drawn(counts: Mapping[str, int]) -> dict[str, float]:
    """A draw for each value, rounded as by `_rounded`: written out, because its calls cost more than all else."""
    log, floor, chance = math.log, math.floor, random.random
    return {
        value: floor((log(count) - log(-log(chance() or 0.5))) * 10_000 + 0.5) / 10_000
        for value, count in counts.items()
    }


def _rounded(draw: float) -> float:
    """To four places: more would only lengthen the JSON. `round` costs three times as much."""
    return math.floor(draw * 10_000 + 0.5) / 10_000


def _draws(counts: Mapping[str, int]) -> dict[str, float]:
    """Draws for all values, of those that came once only the highest.

    The highest of `n` draws are made directly, as order statistics, so that thousands of values that
    came once cost no more than a few.
    """
    if len(counts) <= _FEW:
        return _drawn(counts)
    draws = _drawn({value: count for value, count in counts.items() if count > 1})
    once = [value for value, count in counts.items() if count == 1]
    waited = 0.0
    for position, value in enumerate(random.sample(once, min(len(once), MAX_VALUES))):
        chance = random.random() or 0.5  # noqa: S311  statistics, not secrets
        waited -= math.log(chance) / (len(once) - position)
        draws[value] = _rounded(-math.log(waited))
    return draws


def _share(estimate: int, rest: int) -> int:
    """What is left of an estimate once the others' even share of a cell is taken off; `rest` logs are to be shared."""
    return round(estimate - (rest - estimate) / (CELLS - 1))


def _merged_cells(a: Values, b: Values, ranked: list[tuple[int, str]], kept: Mapping[str, int]) -> list[int]:
    """The cells of both; those of a complete side are counted here. `ranked` and `kept` hold the values of both."""
    if a.cells and b.cells:
        return list(map(add, a.cells, b.cells))
    if a.complete and b.complete:
        return _count_cells(list(_NO_CELLS), ranked, kept)
    known, new = (a, b) if a.cells else (b, a)
    return _count_cells(list(known.cells), [pair for pair in ranked if pair[1] in new.kept], new.kept)


def _cells_so_far(counts: Mapping[str, int]) -> list[int]:
    return _count_cells(list(_NO_CELLS), _ranked(counts), counts)


def _places(value: str) -> tuple[int, int]:
    """The cells that a value counts in, one of each row: the top five bits of its checksum, mixed by an odd factor."""
    checksum = zlib.crc32(value.encode("utf-8", "surrogatepass"))
    return checksum * _MIX >> 27 & 31, CELLS + (checksum * _MIX_2 >> 27 & 31)


def _count_cells(cells: list[int], ranked: Iterable[tuple[int, str]], counts: Mapping[str, int]) -> list[int]:
    """Add the counts of values to their `_places`, in `cells`."""
    mix, mix_2 = _MIX, _MIX_2
    for checksum, value in ranked:
        count = counts[value]
        cells[checksum * mix >> 27 & 31] += count
        cells[CELLS + (checksum * mix_2 >> 27 & 31)] += count
    return cells

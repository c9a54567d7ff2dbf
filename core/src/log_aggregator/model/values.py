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

from collections.abc import Mapping
from operator import add
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from log_aggregator.model.checksums import CELLS, RANKS, cells_of, checksums, count_cells, lowest, lowest_keys
from log_aggregator.model.draws import MAX_DRAWS, descending, draws_of, highest, is_above

__all__ = ["CELLS", "MAX_VALUES", "MOST", "Count", "Values", "fold", "lowest_keys", "merge_values"]

MAX_VALUES = MAX_DRAWS
"""Distinct values kept per key."""

MOST = 2**53
"""The highest count that is believed when a summary is read back: other programs may have written it."""

Count = Annotated[int, Meta(ge=1, le=MOST)]

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
        estimate = round((len(self.kept) - 1) * RANKS / max(*checksums(self.kept), 1))
        return max(len(self.kept) + 1, min(estimate, count))

    def frequent(self, count: int) -> list[tuple[str, int]]:
        """Values with their counts, most frequent first; the counts of an incomplete set are estimated.

        `count` is the number of logs. Of an incomplete set, the drawn values that are no rarer than one
        log in `CELLS` come with what their cells say, the kept ones with their exact counts.
        """
        counts = dict(self.kept)
        if not self.complete:
            counts |= self._estimates(count)
        return [(value, counts[value]) for value in descending(counts, MAX_VALUES)]

    def add(self, counts: Mapping[str, int]) -> None:
        """Count more logs in, in place, from how often each value came: the same as merging with `fold(counts)`."""
        kept = self.kept
        if self.complete:
            if len(kept.keys() | counts.keys()) <= MAX_VALUES:
                _count(kept, counts)
                self._draw(counts)
                return
            self.cells = _cells_so_far(kept)
        ranks = checksums(counts)
        count_cells(self.cells, ranks, counts.values())
        limit = max(checksums(kept)) if len(kept) == MAX_VALUES else RANKS
        _count(kept, {value: counts[value] for value, rank in zip(counts, ranks, strict=True) if rank <= limit})
        if len(kept) > MAX_VALUES:
            self.kept = lowest(kept, checksums(kept), MAX_VALUES)
        self._draw(counts)

    def _draw(self, counts: Mapping[str, int]) -> None:
        """Draw for the values of more logs. The higher of two draws of a value counts."""
        draws = draws_of(counts)
        if not self.complete:
            draws = is_above(draws, self.draws.values())
        self.draws = _higher(self.draws, draws)
        if not self.complete:
            self.draws = highest(self.draws)

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
        return Values(dict(counts), draws_of(counts))
    ranks = checksums(counts)
    cells = count_cells(list(_NO_CELLS), ranks, counts.values())
    return Values(lowest(counts, ranks, MAX_VALUES), highest(draws_of(counts)), cells)


def merge_values(a: Values, b: Values) -> Values:
    """Merge two into a new one; neither is changed. Associative and commutative, exactly."""
    kept = dict(a.kept)
    _count(kept, b.kept)
    draws = _higher(a.draws, b.draws)
    if a.complete and b.complete and len(kept) <= MAX_VALUES:
        return Values(kept, draws)
    cells = list(map(add, a.cells or _cells_so_far(a.kept), b.cells or _cells_so_far(b.kept)))
    if len(kept) > MAX_VALUES:
        kept = lowest(kept, checksums(kept), MAX_VALUES)
    return Values(kept, highest(draws), cells)


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


def _count(kept: dict[str, int], counts: Mapping[str, int]) -> None:
    """Add counts to those of `kept`."""
    for value, count in counts.items():
        kept[value] = kept.get(value, 0) + count


def _higher(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    """The draws of both; of a value that both have, the higher one."""
    draws = dict(a)
    for value, draw in b.items():
        known = draws.get(value)
        if known is None or draw > known:
            draws[value] = draw
    return draws


def _share(estimate: int, rest: int) -> int:
    """What is left of an estimate once the others' even share of a cell is taken off; `rest` logs are to be shared."""
    return round(estimate - (rest - estimate) / (CELLS - 1))


def _cells_so_far(counts: Mapping[str, int]) -> list[int]:
    return count_cells(list(_NO_CELLS), checksums(counts), counts.values())


def _places(value: str) -> tuple[int, int]:
    """The cells that a value counts in, one of each row."""
    one, two = cells_of(checksums([value]))
    return one, two

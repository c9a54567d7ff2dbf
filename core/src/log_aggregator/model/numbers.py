"""Statistics of numeric metadata: how numbers add up."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import accumulate
from math import ceil, log, log1p
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from log_aggregator.model.number_texts import LARGEST, MIXED, NumberColumn
from log_aggregator.model.values import MOST, Count

RELATIVE_ACCURACY = 0.03
"""A quantile is within 3 % of the true value."""

MAX_BINS = 160
"""Bins kept below the largest: four decades at this accuracy. Smaller values share the lowest bin."""

# Bin `k` holds the numbers above GAMMA**(k - 1) up to GAMMA**k and stands for its middle: DDSketch's logarithmic
# mapping (Masson, Rim & Lee, VLDB 2019), written out because its calls cost more than all else. A change here would
# move the bins of stored rows.
_GAMMA = 1 + 2 * RELATIVE_ACCURACY / (1 - RELATIVE_ACCURACY)
_LOG_2 = log(2)
_BINS_A_DOUBLING = 1 / log1p(2 * RELATIVE_ACCURACY / (1 - RELATIVE_ACCURACY)) * _LOG_2
_NANO = 10**9
_WHOLE, _MANY = 2.0**32, 2**20
"""Whole numbers below the first are exact in units of 1e-9, and so are sums of fewer of them than the second."""
_TINY = 1e-9
_LOWEST, _HIGHEST = (ceil(log(end) / _LOG_2 * _BINS_A_DOUBLING) for end in (_TINY, LARGEST))
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


_FEW = 16
"""Numbers whose places are looked up one by one: small ones come again."""

_MOST_PLACES = 8192
_known_places: dict[float, tuple[int, int | None]] = {}


def _place(number: float) -> tuple[int, int | None]:
    """A number in units of 1e-9, and its bin. Remembered."""
    if len(_known_places) >= _MOST_PLACES:
        _known_places.clear()
    found = _known_places[number] = round(number * _NANO), _bin(number)
    return found


def _bin(number: float) -> int | None:
    """The bin of a number; `None`: that of zeros."""
    if number >= _TINY:
        return 2 * ceil(log(number) / _LOG_2 * _BINS_A_DOUBLING)
    if number <= -_TINY:
        return 2 * ceil(log(-number) / _LOG_2 * _BINS_A_DOUBLING) + 1
    return None


def _sum_of_nanos(numbers: Sequence[float], times: Sequence[int] | None, largest: float) -> int:
    """The sum in units of 1e-9, each number rounded to them."""
    if largest < _WHOLE and len(numbers) < _MANY and all(map(float.is_integer, numbers)):
        whole = (
            sum(numbers) if times is None else sum([int(n) * count for n, count in zip(numbers, times, strict=True)])
        )
        return int(whole) * _NANO
    nanos = map(round, [number * _NANO for number in numbers])
    return sum(nanos) if times is None else sum([n * count for n, count in zip(nanos, times, strict=True)])


class Numbers(msgspec.Struct, gc=False):
    """Count, extremes, exact sum and quantile bins of numbers of one unit.

    `bins` maps a bin index to a count: positive values at `2 * key`, negative at `2 * key + 1`.
    `nanos` is the sum in units of 1e-9, as decimal digits: it is exact, and outgrows 64 bits.
    When logs disagree about the unit, `unit` is `mixed`: mean and sum then say little.
    """

    unit: str
    count: int
    low: float
    high: float
    nanos: str
    zeros: int
    bins: dict[int, int]

    @classmethod
    def of(cls, column: NumberColumn) -> Numbers:
        """The statistics of some numbers, at least one."""
        first = next(iter(column.numbers))
        found = cls(column.unit, 0, first, first, "0", 0, {})
        found.add(column)
        return found

    def add(self, column: NumberColumn) -> None:
        """Add numbers in place: the same as merging with theirs."""
        numbers, unit, times = column
        if unit != self.unit:
            self.unit = MIXED
        low, high = min(numbers), max(numbers)
        self.low = min(self.low, low)
        self.high = max(self.high, high)
        self.count += len(numbers) if times is None else sum(times)
        if len(numbers) <= _FEW:
            self._add_few(numbers, times or [1] * len(numbers))
        else:
            self._add_many(numbers, times, max(high, -low), has_small=low < _TINY)

    def _add_few(self, numbers: Sequence[float], times: Sequence[int]) -> None:
        bins, known = self.bins, _known_places.get
        nanos = 0
        for number, count in zip(numbers, times, strict=True):
            exact, index = known(number) or _place(number)
            nanos += exact * count
            if index is None:
                self.zeros += count
            else:
                bins[index] = bins.get(index, 0) + count
        self.nanos = str(int(self.nanos) + nanos)
        self.bins = _collapsed(bins)

    def _add_many(
        self, numbers: Sequence[float], times: Sequence[int] | None, largest: float, *, has_small: bool
    ) -> None:
        self.nanos = str(int(self.nanos) + _sum_of_nanos(numbers, times, largest))
        if has_small:
            indices = list(map(_bin, numbers))
        else:
            indices = [2 * ceil(log(number) / _LOG_2 * _BINS_A_DOUBLING) for number in numbers]
        bins: dict[int | None, int] = self.bins  # type: ignore[assignment]  # the bin of zeros is taken out again
        known = bins.get
        if times is None:
            for index in indices:
                bins[index] = known(index, 0) + 1
        else:
            for index, count in zip(indices, times, strict=True):
                bins[index] = known(index, 0) + count
        if has_small:
            self.zeros += bins.pop(None, 0)
        self.bins = _collapsed(self.bins)

    def merged(self, other: Numbers) -> Numbers:
        """The statistics of both, as a new object."""
        few, many = self.bins, other.bins
        if len(few) > len(many):
            few, many = many, few
        bins = dict(many)
        known = bins.get
        for index, count in few.items():
            bins[index] = known(index, 0) + count
        return Numbers(
            self.unit if self.unit == other.unit else MIXED,
            self.count + other.count,
            min(self.low, other.low),
            max(self.high, other.high),
            str(int(self.nanos) + int(other.nanos)),
            self.zeros + other.zeros,
            _collapsed(bins),
        )

    def quantile(self, q: float) -> float:
        """The value below which the share `q` (0 to 1) of the numbers lies."""
        return self._quantiles((q,), sorted(self.bins))[0]

    def _quantiles(self, shares: Collection[float], ordered: list[int]) -> list[float]:
        """The quantiles of all `shares` from one walk over the bins; `ordered` are their indices, ascending."""
        low, high = self.low, self.high
        if low == high:
            return [low] * len(shares)
        negative = [index for index in reversed(ordered) if index & 1] if low < 0 else []
        positive = [index for index in ordered if not index & 1] if negative else ordered
        count_of = self.bins.__getitem__
        seen = list(accumulate([*map(count_of, negative), self.zeros, *map(count_of, positive)]))
        ascending = [*negative, None, *positive]
        found: list[float] = []
        for share in shares:
            place = bisect_right(seen, share * (self.count - 1))
            value = _middle(ascending[place]) if place < len(seen) else high
            found.append(low if value < low else min(value, high))
        return found

    def to_json(self) -> dict[str, Any]:
        """The state, with mean and quantiles for readers. `sum` is a decimal string: it is exact."""
        nanos = int(self.nanos)
        whole, rest = divmod(abs(nanos), _NANO)
        out: dict[str, Any] = {
            "unit": self.unit,
            "count": self.count,
            "min": self.low,
            "max": self.high,
            "mean": nanos / _NANO / self.count,
            "sum": f"{'-' if nanos < 0 else ''}{whole}.{rest:09d}",
        }
        ordered = sorted(self.bins)
        out |= zip(_QUANTILES, self._quantiles(_QUANTILES.values(), ordered), strict=True)
        out["zeros"] = self.zeros
        out["bins"] = dict(zip(map(_digits, ordered), map(self.bins.__getitem__, ordered), strict=True))
        return out

    @classmethod
    def from_json(cls, stored: Any) -> Numbers:
        """Read the state back. Raises `msgspec.ValidationError` when it is not of this form."""
        state = msgspec.convert(stored, _Stored, str_keys=True)
        _check_sums(state)
        nanos = str(int(state.sum.replace(".", "")))
        return cls(state.unit, state.count, state.min, state.max, nanos, state.zeros, state.bins)


_Bin = Annotated[int, Meta(ge=2 * _LOWEST, le=2 * _HIGHEST + 1)]
_Number = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]


class _Stored(msgspec.Struct):
    unit: Annotated[str, Meta(max_length=16)]
    count: Count
    min: _Number
    max: _Number
    sum: Annotated[str, Meta(pattern=r"^-?[0-9]{1,40}\.[0-9]{9}$")]
    zeros: Annotated[int, Meta(ge=0, le=MOST)]
    bins: dict[_Bin, Count]


def _check_sums(state: _Stored) -> None:
    if state.min > state.max:
        raise msgspec.ValidationError("expected a min that is not above max")
    if state.zeros + sum(state.bins.values()) != state.count:
        raise msgspec.ValidationError("expected each number in one bin")


def bounded_numbers(numbers: Numbers) -> None:
    """Check statistics that another service sent. Raises `msgspec.ValidationError` when they are not of their form."""
    if re.fullmatch(r"-?[0-9]{1,49}", numbers.nanos) is None:
        raise msgspec.ValidationError("expected a sum of decimal digits")
    fields = msgspec.structs.asdict(numbers)
    fields |= {"min": fields.pop("low"), "max": fields.pop("high"), "sum": "0.000000000"}
    _check_sums(msgspec.convert(fields, _Stored))


_digits = lru_cache(maxsize=4096)(str)


@lru_cache(maxsize=2048)
def _middle(index: int | None) -> float:
    """The number that a bin stands for; `None` is the bin of zeros."""
    if index is None:
        return 0.0
    middle: float = 2.0 ** ((index // 2) / _BINS_A_DOUBLING) * (2.0 / (1 + _GAMMA))
    return -middle if index & 1 else middle


def _collapsed(bins: dict[int, int]) -> dict[int, int]:
    """Fold the bins of the smallest magnitudes into the lowest one kept; may change `bins`.

    The limit hangs on the largest magnitude alone, and raising it in steps is the same as raising it
    at once: so any order of merging gives the same bins.
    """
    if not bins:
        return bins
    lowest = 2 * (max(bins) // 2 - MAX_BINS)
    if min(bins) >= lowest:
        return bins
    for index in [index for index in bins if index < lowest]:
        target = lowest + index % 2
        bins[target] = bins.get(target, 0) + bins.pop(index)
    return bins

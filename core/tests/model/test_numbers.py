"""Statistics of numbers are right within their promise."""

from __future__ import annotations

import functools
import random

import pytest
from ddsketch.mapping import LogarithmicMapping
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.model.number_texts import NumberColumn
from log_aggregator.model.numbers import MAX_BINS, RELATIVE_ACCURACY, Numbers

NUMBERS = st.lists(st.floats(-1e15, 1e15, exclude_min=True, exclude_max=True), min_size=1, max_size=50)
SPREAD = st.lists(st.floats(-9, 14.9).map(lambda power: 10**power), min_size=1, max_size=250)


def numbers(values: list[float]) -> Numbers:
    return Numbers.of(NumberColumn([value + 0.0 for value in values], "s"))


@given(SPREAD | NUMBERS, SPREAD | NUMBERS, SPREAD | NUMBERS)
def test_merging_is_associative_and_commutative(a: list[float], b: list[float], c: list[float]) -> None:
    x, y, z = numbers(a), numbers(b), numbers(c)
    assert x.merged(y).merged(z) == x.merged(y.merged(z)) == z.merged(y).merged(x) == numbers(a + b + c)


def test_collapsing_hangs_on_the_largest_number_alone() -> None:
    """Many small numbers collapse early; one large number later must leave the same bins as at once."""
    small = [10 ** (power / 20) for power in range(-120, 40)]
    parts = [numbers(small), numbers([1e9]), numbers([1e5, -1e7])]
    forward = functools.reduce(Numbers.merged, parts)
    backward = functools.reduce(Numbers.merged, reversed(parts))
    assert forward == backward == numbers([*small, 1e9, 1e5, -1e7])


def test_collapsing_does_not_hang_on_how_many_bins_there_are() -> None:
    """A part that had many bins and lost them must go on collapsing as if it still had them."""
    parts = [numbers([1.07**power * 1e-8 for power in range(100)]), numbers([1e3]), numbers([1e5])]
    assert parts[0].merged(parts[1]).merged(parts[2]) == parts[0].merged(parts[1].merged(parts[2]))
    assert parts[0].merged(parts[2]).merged(parts[1]) == parts[2].merged(parts[1]).merged(parts[0])


def test_collapsed_negative_numbers_stay_below_zero() -> None:
    found = numbers([-1e-6] * 90 + [1e9] * 10)
    assert found.quantile(0.5) < 0
    assert found.quantile(0.95) > 0


@given(SPREAD)
def test_bins_are_bounded(values: list[float]) -> None:
    assert len(numbers([*values, *(-value for value in values)]).bins) <= 2 * (MAX_BINS + 1)


@given(SPREAD | NUMBERS)
def test_json_round_trip(values: list[float]) -> None:
    found = numbers(values)
    assert Numbers.from_json(found.to_json()) == found


def test_quantiles_mean_and_extremes() -> None:
    chance = random.Random(3)
    values = sorted(chance.lognormvariate(0, 1.5) for _ in range(5000))
    figures = numbers(values).to_json()
    for name, q in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        assert figures[name] == pytest.approx(values[int(q * 4999)], rel=RELATIVE_ACCURACY * 1.01)
    assert figures["mean"] == pytest.approx(sum(values) / 5000, rel=1e-6)
    assert (figures["min"], figures["max"]) == (values[0], values[-1])


@given(st.lists(st.floats(-100, -0.01) | st.floats(0.01, 100) | st.just(0.0), min_size=1, max_size=60))
def test_all_quantiles_are_right_on_both_sides_of_zero(values: list[float]) -> None:
    found = numbers(values)
    figures = found.to_json()
    for name, q in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        true = sorted(values)[int(q * (len(values) - 1))]
        assert figures[name] == found.quantile(q) == pytest.approx(true, rel=RELATIVE_ACCURACY * 1.001)


@given(st.floats(1e-9, 1e15, exclude_max=True))
def test_bins_are_those_of_ddsketch(value: float) -> None:
    """Stored rows hold indices: another mapping would put what comes next beside them."""
    mapping = LogarithmicMapping(RELATIVE_ACCURACY)
    index = mapping.key(value)
    assert numbers([value, -value]).bins == {2 * index: 1, 2 * index + 1: 1}
    assert numbers([value / 10, value, value, value * 10]).quantile(0.5) == mapping.value(index)


def test_negative_numbers_and_zeros_have_their_place_in_the_order() -> None:
    found = numbers([-8.0] * 40 + [0.0] * 20 + [8.0] * 40)
    assert found.quantile(0.2) == pytest.approx(-8, rel=RELATIVE_ACCURACY)
    assert found.quantile(0.5) == 0
    assert found.quantile(0.9) == pytest.approx(8, rel=RELATIVE_ACCURACY)
    assert found.to_json()["sum"] == "0.000000000"


def test_sums_are_exact_and_units_that_disagree_are_told() -> None:
    tenths = functools.reduce(Numbers.merged, [numbers([0.1])] * 30)
    assert tenths.to_json()["sum"] == "3.000000000"
    assert numbers([-0.25]).to_json()["sum"] == "-0.250000000"
    assert Numbers.of(NumberColumn([1.0, 1.0], "mixed")).unit == "mixed"
    assert numbers([1.0]).merged(Numbers.of(NumberColumn([1.0], "B"))).unit == "mixed"


def test_a_number_that_came_before_counts_the_same() -> None:
    numbers = NumberColumn((0.0, -0.0, 7.0, -7.0, 1e-10, 0.05, 123456.789), "", (3,) * 7)
    first = Numbers.of(numbers)
    assert Numbers.of(numbers) == first
    assert first.zeros == 9


_MANY = st.lists(
    st.one_of(st.floats(-1e14, 1e14), st.integers(-(10**14), 10**14).map(float), st.floats(-1e-8, 1e-8)), min_size=1
)


@given(_MANY, _MANY, st.integers(1, 3))
def test_adding_numbers_is_merging_with_theirs(some: list[float], more: list[float], weight: int) -> None:
    columns = [NumberColumn(each, "s", [weight] * len(each)) for each in (some, more)]
    one, other = map(Numbers.of, columns)
    merged = one.merged(other)
    one.add(columns[1])
    assert one == merged
    assert int(one.nanos) == sum(round(number * 1e9) * weight for number in some + more)


@given(_MANY)
def test_numbers_at_once_are_numbers_one_by_one(some: list[float]) -> None:
    first, *rest = [Numbers.of(NumberColumn([number], "s")) for number in some]
    assert Numbers.of(NumberColumn(some, "s")) == functools.reduce(Numbers.merged, rest, first)

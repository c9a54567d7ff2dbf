"""Counting values in place is merging with theirs, and what is done at once is done as for each value alone."""

from __future__ import annotations

import random
import zlib
from math import exp, log

from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.model.checksums import CELLS, cells_of, checksums, lowest, lowest_keys
from log_aggregator.model.draws import draws_of
from log_aggregator.model.values import MAX_VALUES, Values, fold, merge_values

_TEXTS = st.one_of(st.integers(0, 60).map(str), st.text(max_size=6), st.sampled_from(("\ud800", "é", "")))
COUNTS = st.dictionaries(_TEXTS, st.integers(1, 5), min_size=1, max_size=70)


@given(st.lists(COUNTS, min_size=1, max_size=4), st.integers(0, 2**16))
def test_counting_in_place_is_merging(parts: list[dict[str, int]], seed: int) -> None:
    random.seed(seed)
    merged = Values()
    for counts in parts:
        merged = merge_values(merged, fold(counts))
    random.seed(seed)
    in_place = Values()
    for counts in parts:
        in_place.add(counts)
    assert in_place == merged


@given(COUNTS)
def test_cells_and_kept_values_are_those_of_each_value_alone(counts: dict[str, int]) -> None:
    def places(text: str) -> tuple[int, int]:
        checksum = zlib.crc32(text.encode("utf-8", "surrogatepass"))
        return checksum * 0x9E3779B1 >> 27 & 31, CELLS + (checksum * 0x85EBCA6B >> 27 & 31)

    ranks = checksums(counts)
    assert list(cells_of(ranks)) == [place for row in (0, 1) for place in [places(text)[row] for text in counts]]
    assert lowest(counts, ranks, MAX_VALUES) == {text: counts[text] for text in lowest_keys(counts, MAX_VALUES)}


def test_of_equal_checksums_those_of_the_first_texts_are_kept() -> None:
    counts = {f"value {number}": number for number in range(40)}
    kept = lowest(counts, [7] * 20 + [9] * 20, 16)
    assert set(kept) == set(lowest_keys(counts, 16))


def test_draws_are_gumbel_numbers_beside_the_logarithm_of_the_count() -> None:
    """As many draws lie below each limit as the distribution says, in the tail as well, whose numbers are rarer."""
    random.seed(21)
    count = 40_000
    for times in (1, 7):
        draws = [draw for _ in range(count // 40) for draw in draws_of({str(n): times for n in range(40)}).values()]
        for limit in (-1.0, 0.0, 0.37, 1.0, 2.0, 4.0, 4.2, 6.0):
            share = sum(draw - log(times) <= limit for draw in draws) / count
            expected = exp(-exp(-limit))
            assert abs(share - expected) < 4 * (expected * (1 - expected) / count) ** 0.5 + 0.0005

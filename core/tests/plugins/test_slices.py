"""How much crosses the stages at once."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import Batch, Record
from log_aggregator.plugins.slices import CHARACTERS, RECORDS, slices

Make = Callable[..., Record]


def made(lengths: list[int]) -> list[Record]:
    return [Record("x" * length, "INFO", "app", 0, {}) for length in lengths]


@given(st.lists(st.sampled_from([1, 100, 16_000, CHARACTERS // 2, CHARACTERS + 1]), max_size=60))
def test_nothing_is_lost_and_only_a_single_message_is_longer(lengths: list[int]) -> None:
    records = made(lengths)
    parts = [part.records() for part in slices(Batch(records))]
    assert [record for part in parts for record in part] == records
    for part in parts:
        assert len(part) == 1 or sum(len(record.message) for record in part) <= CHARACTERS


def test_many_short_ones_are_cut_by_number() -> None:
    assert [part.size for part in slices(Batch(made([5] * (2 * RECORDS + 1))))] == [RECORDS, RECORDS, 1]


def test_long_ones_are_cut_by_characters() -> None:
    assert len(list(slices(Batch(made([CHARACTERS // RECORDS] * 4 * RECORDS))))) == 4
    assert len(list(slices(Batch(made([16_000] * 60))))) == 5


def test_a_message_that_is_no_text_is_left_to_those_who_repair_it(record: Make) -> None:
    records = [record(), record()]
    records[0].message = None  # type: ignore[assignment]
    assert [part.records() for part in slices(Batch(records))] == [records]

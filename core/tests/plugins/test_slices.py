"""How much crosses the stages at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import Record
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.plugins.slices import BYTES, KEY, LEAST, RECORDS, WEIGHT, Pace, paced_slices, slices, weight

Make = Callable[..., Record]


def made(lengths: list[int]) -> list[Record]:
    return [Record("x" * length, "INFO", "app", 0, {}) for length in lengths]


@given(st.lists(st.sampled_from([1, 100, 16_000, WEIGHT // 2, WEIGHT + 1]), max_size=60))
def test_nothing_is_lost_and_only_a_single_record_is_heavier(lengths: list[int]) -> None:
    records = made(lengths)
    parts = [part.records() for part in slices(WorkingBatch(records))]
    assert [record for part in parts for record in part] == records
    for part in parts:
        assert len(part) == 1 or sum(map(weight, part)) <= WEIGHT


def test_many_short_ones_are_cut_by_number() -> None:
    assert [part.size for part in slices(WorkingBatch(made([5] * (2 * RECORDS + 1))))] == [RECORDS, RECORDS, 1]
    assert [part.size for part in slices(WorkingBatch(made([5] * (RECORDS + 1))), 1)] == [RECORDS, 1]


def test_long_ones_are_cut_by_weight() -> None:
    assert len(list(slices(WorkingBatch(made([WEIGHT // RECORDS] * 4 * RECORDS))))) == 4
    assert len(list(slices(WorkingBatch(made([16_000] * 60))))) == 5
    assert len(list(slices(WorkingBatch(made([16_000] * 60)), BYTES + 1))) == 5


MANY_KEYS = dict.fromkeys(map(str, range(16_000 // (2 * KEY))))


@pytest.mark.parametrize("metadata", [{"k": "x" * 16_000}, {"k": {"deep": ["x" * 16_000]}}, MANY_KEYS])
def test_metadata_weighs_too(metadata: dict[str, object]) -> None:
    records = [Record("m", "INFO", "app", 0, metadata) for _ in range(60)]
    assert len(list(slices(WorkingBatch(records)))) == 5


def test_what_is_no_text_is_left_to_the_inspector(record: Make) -> None:
    records = [record(), record()]
    records[0].message = None  # type: ignore[assignment]
    assert [part.records() for part in slices(WorkingBatch(records))] == [records]


@given(st.lists(st.sampled_from([1, 100, 16_000, WEIGHT + 1]), max_size=60), st.integers(LEAST, WEIGHT))
def test_paced_slices_lose_nothing_and_hold_what_the_pace_says(lengths: list[int], characters: int) -> None:
    records, pace = made(lengths), Pace()
    pace.characters = characters
    parts = [(part.records(), size) for part, size in paced_slices(WorkingBatch(records), pace)]
    assert [record for part, _ in parts for record in part] == records
    for part, size in parts:
        assert size == sum(map(weight, part))
        assert len(part) == 1 or size <= characters


def test_slices_get_smaller_where_calls_are_slow_and_larger_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("log_aggregator.plugins.slices.time.perf_counter", lambda: clock[0])
    pace = Pace()
    sizes = []
    for _, size in paced_slices(WorkingBatch(made([1000] * 1000)), pace):
        with pace.timing(size):
            clock[0] += size * (2e-6 if len(sizes) < 20 else 1e-8)
        sizes.append(size)
    assert sizes[0] == WEIGHT
    assert max(sizes[1:20]) <= 20_000
    assert max(sizes[20:]) >= 80_000


def test_heavy_records_begin_with_a_small_slice() -> None:
    pace = Pace()
    assert pace.is_one_slice(1000, 180_000)
    assert not pace.is_one_slice(10, 160_000)
    pace.begin(400, 400 * 16_000)
    assert next(iter(paced_slices(WorkingBatch(made([16_000] * 400)), pace)))[0].size == 1

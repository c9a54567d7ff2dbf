"""Folding records into groups: exact totals, whatever the order, the size and the pressure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import Record, merge_all
from log_aggregator.fold import OVERFLOW_PATTERN, Fold

Make = Callable[..., Record]

MINUTE = 60_000_000
records = st.builds(
    Record,
    message=st.sampled_from(["a", "b", "c"]),
    level=st.sampled_from(["INFO", "ERROR"]),
    source=st.sampled_from(["x", "y"]),
    timestamp=st.integers(0, 20 * MINUTE),
    metadata=st.just({}),
    pattern=st.sampled_from(["", "p", "q"]),
)


def fold(max_groups: int = 1000, **more: object) -> Fold:
    return Fold(300, max_groups, 5, **more)  # type: ignore[arg-type]


@given(st.lists(st.lists(records, max_size=20), max_size=8))
def test_every_log_is_counted_once_in_the_group_it_belongs_to(batches: list[list[Record]]) -> None:
    under_test = fold()
    for batch in batches:
        under_test.add(batch)
    expected = Counter(
        (r.timestamp // (300 * 1_000_000) * 300, r.pattern or r.message, r.level, r.source)
        for batch in batches
        for r in batch
    )
    assert under_test.logs == expected.total()
    taken = under_test.take()
    assert {(a.bucket, a.pattern, a.level, a.source): a.count for a in taken} == expected
    for aggregate in taken:
        times = [
            r.timestamp
            for batch in batches
            for r in batch
            if (r.timestamp // (300 * 1_000_000) * 300, r.pattern or r.message, r.level, r.source)
            == (aggregate.bucket, aggregate.pattern, aggregate.level, aggregate.source)
        ]
        assert (aggregate.first_seen, aggregate.last_seen) == (min(times), max(times))
    assert (under_test.take(), under_test.logs) == ([], 0)


@given(st.lists(records, min_size=1, max_size=40), st.integers(0, 40))
def test_folding_in_parts_and_merging_gives_the_same_totals(batch: list[Record], cut: int) -> None:
    whole, first, second = fold(), fold(), fold()
    whole.add(batch)
    first.add(batch[:cut])
    second.add(batch[cut:])
    parts = merge_all([*first.take(), *second.take()], 5)
    counts = {key: (a.count, a.first_seen, a.last_seen) for key, a in parts.items()}
    assert counts == {a.key: (a.count, a.first_seen, a.last_seen) for a in whole.take()}


def test_beyond_max_groups_texts_are_given_up_and_totals_stay_exact(record: Make) -> None:
    under_test = fold(max_groups=10)
    under_test.add([record(f"message {number}", pattern=f"pattern {number}") for number in range(100)])
    taken = under_test.take()
    assert sum(a.count for a in taken) == 100
    assert len(taken) == 11
    overflow = [a for a in taken if a.pattern == OVERFLOW_PATTERN]
    assert [a.count for a in overflow] == [90]
    assert under_test.overflowed == 90


def test_under_pressure_samples_go_before_metadata(record: Make) -> None:
    under_test = fold(max_groups=100)
    under_test.add([record(f"m{n}", pattern=f"p{n}", metadata={"k": n}) for n in range(60)])
    under_test.add([record(f"again {n}", pattern="p0", metadata={"k": n}) for n in range(3)])
    assert {a.pattern: a for a in under_test.take()}["p0"].metadata["k"].count == 4
    under_test.add([record(f"m{n}", pattern=f"p{n}", metadata={"k": n}) for n in range(80)])
    by_pattern = {a.pattern: a for a in under_test.take()}
    assert by_pattern["p79"].count == 1
    assert by_pattern["p79"].metadata == {}


def test_chosen_metadata_keys_split_groups(record: Make) -> None:
    under_test = fold(group_by=("env",))
    under_test.add(
        [record(pattern="p", metadata={"env": env}) for env in ("prod", "dev", "prod")] + [record(pattern="p")]
    )
    assert {a.group: a.count for a in under_test.take()} == {'{"env":"prod"}': 2, '{"env":"dev"}': 1, "": 1}


def test_the_tally_knows_levels_and_errors_by_source(record: Make) -> None:
    under_test = fold()
    under_test.add([record(level="ERROR", source="db"), record(level="ERROR", source="db"), record()])
    assert under_test.tally.by_level == {"ERROR": 2, "INFO": 1}
    assert under_test.tally.errors_by_source == {"db": 2}

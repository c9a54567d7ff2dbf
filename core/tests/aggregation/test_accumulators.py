"""Accumulating records into groups: exact totals, whatever the order, the size and the pressure."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import Record
from log_aggregator.aggregation.accumulators import OVERFLOW_SOURCE, Accumulator, Accumulators
from log_aggregator.aggregation.overflow import OVERFLOW_PATTERN
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.summary import summarize, to_json
from log_aggregator.processing.partial_aggregates import PartialAggregate, PreAggregator
from log_aggregator.sinks import merge_all

Make = Callable[..., Record]

MINUTE = 60_000_000
records = st.builds(
    Record,
    message=st.sampled_from(["a", "b", "c"]),
    level=st.sampled_from(["INFO", "ERROR"]),
    source=st.sampled_from(["x", "y"]),
    timestamp=st.integers(0, 20 * MINUTE),
    metadata=st.sampled_from([{}, {"k": 1}]),
    pattern=st.sampled_from(["", "p", "q"]),
    weight=st.sampled_from([1, 1, 1, 10]),
)


def partials_of(records: list[Record]) -> list[PartialAggregate]:
    return PreAggregator(300).sort(WorkingBatch(records))


def accumulators(max_groups: int = 1000) -> Accumulators:
    return Accumulators(max_groups, 5)


@given(st.lists(st.lists(records, max_size=20), max_size=8))
def test_every_log_is_counted_once_in_the_group_it_belongs_to(batches: list[list[Record]]) -> None:
    under_test = accumulators()
    for batch in batches:
        under_test.add(partials_of(batch))
    expected: Counter[tuple[int, str, str, str]] = Counter()
    for r in [r for batch in batches for r in batch]:
        expected[r.timestamp // (300 * 1_000_000) * 300, r.pattern or r.message, r.level, r.source] += r.weight
    assert under_test.logs == expected.total()
    taken = list(under_test.take())
    assert {(a.bucket, a.pattern, a.level, a.source): a.count for a in taken} == expected
    for aggregate in taken:
        logs = [
            r
            for batch in batches
            for r in batch
            if (r.timestamp // (300 * 1_000_000) * 300, r.pattern or r.message, r.level, r.source)
            == (aggregate.bucket, aggregate.pattern, aggregate.level, aggregate.source)
        ]
        times = [r.timestamp for r in logs]
        assert (aggregate.first_seen, aggregate.last_seen) == (min(times), max(times))
        minutes: Counter[int] = Counter()
        for r in logs:
            minutes[r.timestamp // MINUTE % 5] += r.weight
        assert dict(enumerate(aggregate.minutes)) | minutes == dict(enumerate(aggregate.minutes))
        assert sum(aggregate.minutes) == aggregate.count
        with_key = sum(r.weight for r in logs if r.metadata)
        assert with_key == (aggregate.metadata["k"].count if with_key else 0)
    assert (list(under_test.take()), under_test.logs) == ([], 0)


@given(st.lists(records, min_size=1, max_size=40), st.integers(0, 40))
def test_accumulating_in_parts_and_merging_gives_the_same_totals(batch: list[Record], cut: int) -> None:
    whole, first, second = accumulators(), accumulators(), accumulators()
    whole.add(partials_of(batch))
    first.add(partials_of(batch[:cut]))
    second.add(partials_of(batch[cut:]))
    parts = merge_all([*first.take(), *second.take()], 5)
    counts = {key: (a.count, a.first_seen, a.last_seen) for key, a in parts.items()}
    assert counts == {a.key: (a.count, a.first_seen, a.last_seen) for a in whole.take()}


def test_beyond_max_groups_texts_are_given_up_and_totals_stay_exact(record: Make) -> None:
    under_test = accumulators(max_groups=10)
    under_test.add(partials_of([record(f"message {number}", pattern=f"pattern {number}") for number in range(100)]))
    taken = list(under_test.take())
    assert sum(a.count for a in taken) == 100
    assert len(taken) == 11
    overflow = [a for a in taken if a.pattern == OVERFLOW_PATTERN]
    assert [a.count for a in overflow] == [90]
    assert under_test.overflow.logs == 90


def test_sources_and_levels_that_clients_make_up_share_one_in_the_end(record: Make) -> None:
    under_test = accumulators(max_groups=100)
    made_up = [record("m", pattern="p", source=f"s{number}", level=f"L{number % 300}") for number in range(3000)]
    under_test.add(partials_of(made_up))
    assert len(under_test) == 151
    taken = list(under_test.take())
    assert sum(a.count for a in taken) == 3000
    assert max(taken, key=lambda a: a.count).source == OVERFLOW_SOURCE


def test_under_pressure_samples_go_before_metadata(record: Make) -> None:
    under_test = accumulators(max_groups=100)
    under_test.add(partials_of([record(f"m{n}", pattern=f"p{n}", metadata={"k": n}) for n in range(60)]))
    under_test.add(partials_of([record(f"again {n}", pattern="p0", metadata={"k": n}) for n in range(3)]))
    assert {a.pattern: a for a in under_test.take()}["p0"].metadata["k"].count == 4
    under_test.add(partials_of([record(f"m{n}", pattern=f"p{n}", metadata={"k": n}) for n in range(80)]))
    by_pattern = {a.pattern: a for a in under_test.take()}
    assert by_pattern["p79"].count == 1
    assert by_pattern["p79"].metadata == {}


def test_chosen_metadata_keys_split_groups(record: Make) -> None:
    under_test = accumulators()
    logs = [record(pattern="p", metadata={"env": env}) for env in ("prod", "dev", "prod")] + [record(pattern="p")]
    under_test.add(PreAggregator(300, ("env",)).sort(WorkingBatch(logs)))
    assert {a.group: a.count for a in under_test.take()} == {'{"env":"prod"}': 2, '{"env":"dev"}': 1, "": 1}


def test_the_tally_knows_levels_and_errors_by_source(record: Make) -> None:
    under_test = accumulators()
    under_test.add(partials_of([record(level="ERROR", source="db"), record(level="ERROR", source="db"), record()]))
    assert under_test.tally.by_level == {"ERROR": 2, "INFO": 1}
    assert under_test.tally.errors_by_source == {"db": 2}


def test_a_group_with_statistics_takes_little_memory(record: Make) -> None:
    """As objects, its hundred bins, its values and their draws take twice as much as all that is allowed here."""
    groups, logs = 50, [{"took": f"{1.05**number:.3f} ms"} for number in range(300)]
    under_test = accumulators()
    summarize(logs)  # so that what is remembered of such texts is there already
    tracemalloc.start()
    try:
        for metadata in logs:
            under_test.add(partials_of([record(pattern=f"p{n}", metadata=metadata) for n in range(groups)]))
        taken = list(under_test.take())
        gc.collect()  # gives up the tuples that the interpreter keeps for the next use: they are no group's
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(aggregate.metadata["took"].count == 300 for aggregate in taken)
    assert used / groups < 4000


def test_metadata_that_waits_is_bounded_over_all_groups(record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each group alone would keep up to 4095 values: with thousands of groups, hundreds of megabytes."""
    monkeypatch.setattr("log_aggregator.aggregation.accumulators._VALUES_WAITING", 30_000)
    under_test, most = accumulators(max_groups=100_000), 0
    tracemalloc.start()
    try:
        for number in range(50):
            batch = [record(pattern=f"p{n}", metadata={"n": f"{number} ms of {n}"}) for n in range(1000)]
            under_test.add(partials_of(batch))
            most = max(most, under_test.waiting)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 1000 <= most <= 30_000
    assert peak < 10_000_000
    kept = {aggregate.pattern: to_json(aggregate.metadata)["n"]["count"] for aggregate in under_test.take()}
    assert kept == {f"p{n}": 50 for n in range(1000)}
    assert under_test.waiting == 0


def test_waiting_metadata_is_summarized_group_by_group(record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """No batch pays for the metadata of all groups at once, and none of it is lost or counted twice."""
    monkeypatch.setattr("log_aggregator.aggregation.accumulators._VALUES_WAITING", 500)
    under_test, summarized = accumulators(max_groups=100_000), 0
    summarize = Accumulator.summarize_pending

    def noted(group: Accumulator) -> None:
        nonlocal summarized
        summarized += 1
        summarize(group)

    monkeypatch.setattr(Accumulator, "summarize_pending", noted)
    for number in range(40):
        before = summarized
        chosen = range(number % 7, 100, 1 + number % 3)
        under_test.add(partials_of([record(pattern=f"p{n}", metadata={"n": n}) for n in chosen]))
        assert under_test.waiting <= 500
        assert summarized - before < 60
    taken = list(under_test.take())
    assert [a.metadata["n"].count for a in taken] == [a.count for a in taken]


def test_variables_are_what_the_placeholders_stood_for(record: Make) -> None:
    under_test = accumulators()
    logs = [record(f"job {n} took {n % 3} s on {n}", pattern="job {ID} took {TIME} s on {ID}") for n in range(30)]
    logs.append(record("another form", pattern="job {ID} took {TIME} s on {ID}"))
    under_test.add(partials_of(logs))
    (one,) = under_test.take()
    assert {name: entry.count for name, entry in one.variables.items()} == {"ID": 30, "TIME": 30, "ID.2": 30}
    assert one.variables["TIME"].values.kept == {"0": 10, "1": 10, "2": 10}


def test_of_many_messages_some_stand_for_all(record: Make) -> None:
    under_test = accumulators()
    under_test.add(partials_of([record(f"job {n % 2}", pattern="job {ID}") for n in range(1000)]))
    under_test.add(partials_of([record("job 7", pattern="job {ID}", weight=500)]))
    (one,) = under_test.take()
    assert one.count == one.variables["ID"].count == 1500
    assert one.variables["ID"].values.kept["7"] == 500


def test_samples_have_time_and_metadata(record: Make) -> None:
    under_test = accumulators()
    logs = [record(f"m {n}", pattern="m {ID}", timestamp=n, metadata={"n": n}) for n in (3, 2, 1)]
    under_test.add(partials_of(logs))
    (one,) = under_test.take()
    assert one.samples.logs(one.first_seen, one.last_seen) == [(n, f"m {n}", f'{{"n":{n}}}') for n in (1, 2, 3)]


@pytest.mark.parametrize("seconds", [30, 60, 90, 7200])
def test_buckets_that_minutes_do_not_fit_into_know_none(record: Make, seconds: int) -> None:
    under_test = accumulators()
    under_test.add(PreAggregator(seconds).sort(WorkingBatch([record()])))
    assert [a.minutes for a in under_test.take()] == [()]

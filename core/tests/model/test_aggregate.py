"""Aggregates merge in any order, and merging leaves its sides as they were."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import pattern_id
from log_aggregator.model.aggregate import merge_flushes
from log_aggregator.model.samples import Sample, choose
from log_aggregator.model.summary import summarize
from log_aggregator.sinks import Aggregate, Alias, FencedError, Flush, Position, merge, merge_all

MOST = 4
LOGS = st.lists(
    st.tuples(
        st.integers(0, 9), st.text("ab ", max_size=3), st.dictionaries(st.sampled_from("xyz"), st.integers(0, 99))
    ),
    min_size=1,
    max_size=8,
)
COUNTS = st.dictionaries(st.sampled_from(["http", "database", "security"]), st.integers(1, 5))


def aggregate(logs: list[tuple[int, str, dict[str, int]]], counts: dict[str, int], pattern: str = "p") -> Aggregate:
    (first, earliest, _), (last, latest, _) = min(logs, key=lambda log: log[:2]), max(logs, key=lambda log: log[:2])
    return Aggregate(
        300, pattern, "INFO", "web", len(logs), first, last,
        metadata=summarize(metadata for _, _, metadata in logs),
        samples=choose(
            Sample(first, earliest), Sample(last, latest), [Sample(at, message) for at, message, _ in logs], MOST
        ),
        categories=counts, tags=counts, minutes=minutes_of([at for at, _, _ in logs]),
        variables=summarize({"ID": message} for _, message, _ in logs),
    )  # fmt: skip


def minutes_of(minutes: list[int]) -> tuple[int, ...]:
    return tuple(minutes.count(minute) for minute in range(max(minutes) + 1))


PARTS = st.tuples(LOGS, COUNTS)


@given(st.tuples(PARTS, PARTS, PARTS))
def test_merging_is_associative_and_commutative(parts: Any) -> None:
    a, b, c = (aggregate(*part) for part in parts)
    before = msgspec.msgpack.encode([a, b, c])
    orders = [merge(merge(x, y, MOST), z, MOST) for x, y, z in itertools.permutations([a, b, c])]
    orders += [merge(a, merge(b, c, MOST), MOST), merge(merge(a, c, MOST), b, MOST)]
    assert all(order == orders[0] for order in orders)
    assert orders[0].count == a.count + b.count + c.count == sum(orders[0].minutes)
    assert orders[0].variables["ID"].count == orders[0].count
    assert sum(orders[0].categories.values()) == sum(sum(x.categories.values()) for x in (a, b, c))
    assert msgspec.msgpack.encode([a, b, c]) == before


def test_two_aggregates_never_share_their_defaults() -> None:
    a, b = (Aggregate(0, "p", "INFO", "s", 1, 0, 0) for _ in range(2))
    a.categories["http"] = 1
    a.metadata.update(summarize([{"k": 1}]))
    assert (b.categories, b.metadata, b.tags) == ({}, {}, {})


def test_merge_all_keeps_keys_apart() -> None:
    one = [(1, "m", {"x": 1})]
    merged = merge_all([aggregate(one, {}, "p"), aggregate(one, {}, "q"), aggregate(one, {}, "p")], MOST)
    assert sorted((key.pattern_id, a.count) for key, a in merged.items()) == sorted(
        [(pattern_id("p"), 2), (pattern_id("q"), 1)]
    )


def test_the_category_is_the_most_frequent_and_ties_go_by_name() -> None:
    assert Aggregate(0, "p", "INFO", "s", 1, 0, 0, categories={"b": 2, "a": 2, "c": 1}).category == "a"
    assert Aggregate(0, "p", "INFO", "s", 1, 0, 0).category == ""


def flush(sequence: int, previous: Position | None, *aggregates: Aggregate, epoch: int = 1) -> Flush:
    total = sum(a.count for a in aggregates)
    alias = Alias("old", "p", sequence)
    return Flush("i", Position(epoch, sequence), previous, sequence, sequence + 1, total, aggregates, (alias,))


def test_flushes_in_a_row_become_one_that_stands_for_all() -> None:
    one = aggregate([(1, "m", {})], {})
    row = [flush(1, None, one), flush(2, Position(1, 1), one, one), flush(3, Position(1, 2))]
    together = merge_flushes(row, MOST)
    assert (together.previous, together.position) == (None, Position(1, 3))
    assert (together.opened, together.sealed, together.logs) == (1, 4, 3)
    assert [a.count for a in together.aggregates] == [3]
    assert [alias.at for alias in together.aliases] == [1, 2, 3]


def test_progress_decides_whether_a_flush_is_stored() -> None:
    second = flush(2, Position(1, 1))
    assert second.is_stored(Position(1, 2)) is True
    assert second.is_stored(Position(1, 1)) is False
    assert second.is_stored(None) is False
    for stored in (Position(1, 0), Position(2, 1), Position(2, 2), Position(2, 3)):
        with pytest.raises(FencedError, match="i-1-2"):
            second.is_stored(stored)

"""Which messages are kept of a group: first, latest and a choice that no order of merging changes."""

from __future__ import annotations

import functools
import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.model.samples import Samples, choose, merge_samples

Log = tuple[int, str]
Group = tuple[tuple[int, int], Samples]
GROUPS = st.lists(st.tuples(st.integers(0, 6), st.text("abcdé", max_size=2)), min_size=1, max_size=12)
MOST = st.integers(1, 6)


def fold(logs: list[Log], most: int) -> Group:
    first, latest = min(logs), max(logs)
    return (first[0], latest[0]), choose(first[1], latest[1], {message for _, message in logs}, most)


def merged(a: Group, b: Group, most: int) -> Group:
    return (min(a[0][0], b[0][0]), max(a[0][1], b[0][1])), merge_samples(a[1], a[0], b[1], b[0], most)


@given(GROUPS, GROUPS, GROUPS, MOST)
def test_any_order_of_merging_keeps_the_same(a: list[Log], b: list[Log], c: list[Log], most: int) -> None:
    x, y, z = fold(a, most), fold(b, most), fold(c, most)
    at_once = fold(a + b + c, most)
    assert merged(merged(x, y, most), z, most) == at_once
    assert merged(x, merged(y, z, most), most) == at_once
    assert merged(merged(z, x, most), y, most) == at_once


@given(GROUPS, MOST)
def test_first_and_latest_are_kept_and_all_are_distinct(logs: list[Log], most: int) -> None:
    _, samples = fold(logs, most)
    assert len(samples.messages) == len(set(samples.messages)) <= most
    assert samples.messages[0] == min(logs)[1]
    if most > 1:
        assert samples.messages[samples.latest] == max(logs)[1]


def test_an_empty_side_changes_nothing() -> None:
    some = choose("a", "b", set(), 3)
    assert (
        merge_samples(Samples(), (0, 0), some, (1, 2), 3) == some == merge_samples(some, (1, 2), Samples(), (0, 0), 3)
    )


def test_the_choice_between_is_fair() -> None:
    """How often a message came, and when, does not matter for its place among the samples."""
    kept: Counter[int] = Counter()
    for trial in range(400):
        logs = [(position, f"{trial}-{position}") for position in range(20)]
        logs += [(5, f"{trial}-5")] * 50
        random.Random(trial).shuffle(logs)
        parts = [fold(logs[start : start + 10], 5) for start in range(0, 70, 10)]
        _, samples = functools.reduce(lambda a, b: merged(a, b, 5), parts)
        kept.update(int(message.split("-")[1]) for message in samples.messages)
    between = [kept[position] for position in range(1, 19)]
    assert kept[0] == kept[19] == 400
    assert min(between) > 0.5 * sum(between) / 18
    assert max(between) < 1.7 * sum(between) / 18

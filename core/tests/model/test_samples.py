"""Which logs are kept of a group: first, latest and a choice of messages that no order of merging changes."""

from __future__ import annotations

import functools
import json
import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.model.samples import MAX_METADATA, Detail, Sample, Samples, choose, merge_samples, metadata_text

Log = Sample
Group = tuple[tuple[int, int], Samples]
METADATA = st.sampled_from(["", '{"a":1}', '{"b":2}'])
LOGS = st.builds(Sample, st.integers(0, 6), st.text("abcdé", max_size=2), METADATA)
GROUPS = st.lists(LOGS, min_size=1, max_size=12)
MOST = st.integers(1, 6)


def fold(logs: list[Log], most: int, *, detailed: bool = True) -> Group:
    first, latest = min(logs), max(logs)
    samples = choose(first, latest, logs, most)
    return (first.time, latest.time), samples if detailed else Samples(samples.messages, samples.latest)


def merged(a: Group, b: Group, most: int) -> Group:
    return (min(a[0][0], b[0][0]), max(a[0][1], b[0][1])), merge_samples(a[1], a[0], b[1], b[0], most)


@given(GROUPS, GROUPS, GROUPS, MOST)
def test_any_order_of_merging_keeps_the_same(a: list[Log], b: list[Log], c: list[Log], most: int) -> None:
    x, y, z = fold(a, most), fold(b, most), fold(c, most)
    at_once = fold(a + b + c, most)
    assert merged(merged(x, y, most), z, most) == at_once
    assert merged(x, merged(y, z, most), most) == at_once
    assert merged(merged(z, x, most), y, most) == at_once


@given(GROUPS, GROUPS, GROUPS, st.tuples(st.booleans(), st.booleans(), st.booleans()), MOST)
def test_any_order_keeps_the_same_where_rows_have_no_details(
    a: list[Log], b: list[Log], c: list[Log], detailed: tuple[bool, bool, bool], most: int
) -> None:
    x, y, z = (fold(logs, most, detailed=has) for logs, has in zip((a, b, c), detailed, strict=True))
    one = merged(merged(x, y, most), z, most)
    assert merged(x, merged(y, z, most), most) == one
    assert merged(merged(z, x, most), y, most) == one


@given(GROUPS, MOST)
def test_first_and_latest_are_kept_and_all_are_distinct(logs: list[Log], most: int) -> None:
    span, samples = fold(logs, most)
    assert len(samples.messages) == len(set(samples.messages)) == len(samples.details) <= most
    assert samples.messages[0] == min(logs).message
    assert samples.first_log(*span) == min(logs)
    assert set(samples.logs(*span)) <= set(logs)
    if most > 1:
        assert samples.latest_log(*span) == samples.logs(*span)[-1] == max(logs)


def test_an_empty_side_changes_nothing() -> None:
    some = choose(Sample(1, "a"), Sample(2, "b"), (), 3)
    assert (
        merge_samples(Samples(), (0, 0), some, (1, 2), 3) == some == merge_samples(some, (1, 2), Samples(), (0, 0), 3)
    )


def test_the_choice_between_is_fair() -> None:
    """How often a message came, and when, does not matter for its place among the samples."""
    kept: Counter[int] = Counter()
    for trial in range(400):
        logs = [Sample(position, f"{trial}-{position}") for position in range(20)]
        logs += [Sample(5, f"{trial}-5")] * 50
        random.Random(trial).shuffle(logs)
        parts = [fold(logs[start : start + 10], 5) for start in range(0, 70, 10)]
        _, samples = functools.reduce(lambda a, b: merged(a, b, 5), parts)
        kept.update(int(message.split("-")[1]) for message in samples.messages)
    between = [kept[position] for position in range(1, 19)]
    assert kept[0] == kept[19] == 400
    assert min(between) > 0.5 * sum(between) / 18
    assert max(between) < 1.7 * sum(between) / 18


def test_equal_messages_are_one_sample_of_the_latest_log_that_still_knows_the_first() -> None:
    logs = [Sample(time, "up", f'{{"run":{time}}}') for time in (3, 1, 2)]
    assert choose(min(logs), max(logs), logs, 5) == Samples(("up",), 0, (Detail(3, '{"run":3}', (1, '{"run":1}')),))
    later = fold([Sample(9, "down")], 5)
    _, samples = merged(((1, 3), choose(min(logs), max(logs), logs, 5)), later, 5)
    assert samples.logs(1, 9) == [Sample(1, "up", '{"run":1}'), Sample(9, "down")]


def test_metadata_of_a_sample_is_bounded_json_that_every_database_takes() -> None:
    assert metadata_text({}) == ""
    assert metadata_text({"a": 1, "b": ["x"]}) == '{"a":1,"b":["x"]}'
    long = metadata_text({"first": "y" * 5000, "deep": ["z" * 5000], **{f"k{n}": n for n in range(500)}})
    assert len(long) <= MAX_METADATA
    assert json.loads(long) == {"first": "y" * 256 + "…"} | {f"k{n}": n for n in range(len(json.loads(long)) - 1)}
    assert json.loads(metadata_text({"a\0": "b\0", "c": ["\0"], "d": 1})) == {"a\ufffd": "b\ufffd", "d": 1}
    assert metadata_text({"a": "\ud800"}) == metadata_text({"a": object()}) == ""

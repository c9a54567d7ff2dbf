"""What metadata summaries promise: any order of merging, any way of storing, bounded size."""

from __future__ import annotations

import functools
import json
import math
import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.model.summary import (
    MAX_KEY_LENGTH,
    MAX_KEYS,
    MAX_VALUE_LENGTH,
    Columns,
    Summary,
    extended,
    from_json,
    gather,
    merge_summaries,
    summarize,
    to_json,
)
from log_aggregator.model.values import MAX_VALUES, _places
from tests.support.foreign import METADATA, nearly_ours

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from(["GET", "0.05s", "12ms", "3.4 MB", "1", "-7%", "", "x" * 500, "5M", "é…"]),
    st.text(max_size=5),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2), max_leaves=4)  # fmt: skip # noqa: E501
ENTRIES = st.dictionaries(st.sampled_from(["a", "b", "long" * 99, "c"]) | st.text(max_size=3), VALUES, max_size=4)
LOGS = st.lists(ENTRIES, max_size=25)
WIDE = st.lists(st.dictionaries(st.sampled_from("ab"), st.integers(0, 10**6) | st.floats(1e-12, 1e14)), max_size=60)
MANY_KEYS = st.lists(st.dictionaries(st.integers(0, 99).map(str), st.just(1), max_size=30), max_size=6)
BATCHES = LOGS | WIDE | MANY_KEYS


def same(a: Summary, b: Summary) -> bool:
    return bool(a == b)


def exact(summary: Summary) -> dict[str, Any]:
    """All of a summary that no chance had a part in."""
    return {key: (e.count, e.values.kept, e.values.cells, e.numbers) for key, e in summary.items()}


@given(BATCHES, BATCHES)
def test_merging_is_commutative(a: list[Any], b: list[Any]) -> None:
    left, right = summarize(a), summarize(b)
    assert same(merge_summaries(left, right), merge_summaries(right, left))


@given(BATCHES, BATCHES, BATCHES)
def test_merging_is_associative(a: list[Any], b: list[Any], c: list[Any]) -> None:
    x, y, z = summarize(a), summarize(b), summarize(c)
    assert same(merge_summaries(merge_summaries(x, y), z), merge_summaries(x, merge_summaries(y, z)))


@given(BATCHES, st.randoms())
def test_folding_many_at_once_is_merging_singles(logs: list[Any], order: random.Random) -> None:
    shuffled = list(logs)
    order.shuffle(shuffled)
    nothing: Summary = {}
    singles = functools.reduce(merge_summaries, (summarize([log]) for log in shuffled), nothing)
    assert exact(summarize(logs)) == exact(singles)


@given(BATCHES, BATCHES)
def test_merging_changes_neither_side(a: list[Any], b: list[Any]) -> None:
    left, right = summarize(a), summarize(b)
    before = msgspec.msgpack.encode([left, right])
    merge_summaries(left, right)
    assert msgspec.msgpack.encode([left, right]) == before


@given(BATCHES, BATCHES)
def test_json_holds_the_whole_state(a: list[Any], b: list[Any]) -> None:
    summary = merge_summaries(summarize(a), summarize(b))
    assert same(from_json(json.loads(json.dumps(to_json(summary), allow_nan=False))), summary)


@given(ENTRIES)
def test_json_of_a_merge_is_the_merge_of_jsons(entry: dict[str, Any]) -> None:
    one, many = summarize([entry]), summarize([{"a": index} for index in range(40)])
    assert same(merge_summaries(from_json(to_json(one)), from_json(to_json(many))), merge_summaries(one, many))


def test_size_is_bounded_whatever_comes() -> None:
    chance = random.Random(7)
    sizes = []
    summary: Summary = {}
    for _ in range(40):
        logs = [
            {f"key {chance.randrange(200)}" + "k" * 2000: chance.choice([chance.uniform(-1e14, 1e14), "v" * 500 + str(chance.random()), 10 ** chance.uniform(-9, 14)]) for _ in range(20)}  # noqa: E501
            for _ in range(50)
        ]  # fmt: skip
        summary = merge_summaries(summary, summarize(logs))
        sizes.append(len(msgspec.json.encode(to_json(summary))))
    assert len(summary) == MAX_KEYS
    assert all(len(key) <= MAX_KEY_LENGTH for key in summary)
    assert all(len(e.values.kept) <= MAX_VALUES and len(e.values.draws) <= MAX_VALUES for e in summary.values())
    assert all(len(value) <= MAX_VALUE_LENGTH + 1 for e in summary.values() for value in e.values.kept)
    assert max(sizes) < MAX_KEYS * 16 * 1024


def test_a_frequent_value_among_very_many_is_listed_with_its_share() -> None:
    """Half of the logs are of one route and a tenth of another, which may be missed; all others differ."""
    random.seed(11)
    second = 0
    for trial in range(20):
        chance = random.Random(trial)
        summary: Summary = {}
        for batch in range(40):
            logs = [{"route": f"/item/{chance.randrange(10**9)}"} for _ in range(40)]
            logs += [{"route": f"/often/{trial}"}] * 50 + [{"route": f"/sometimes/{trial}"}] * 10
            one = summarize(logs)
            summary = merge_summaries(summary, one) if batch % 2 else merge_summaries(one, summary)
        shown = to_json(summary)["route"]
        assert shown["count"] == 4000
        assert shown["complete"] is False
        assert shown["values"][0]["value"] == f"/often/{trial}"
        assert abs(shown["values"][0]["count"] - 2000) < 100
        second += any(v["value"] == f"/sometimes/{trial}" and abs(v["count"] - 400) < 100 for v in shown["values"])
        assert 1602 / 3 < shown["distinct"] < 1602 * 3
    assert second >= 15


def test_a_value_of_one_log_in_twenty_is_listed_whenever_it_was_drawn() -> None:
    random.seed(14)
    drawn = 0
    for trial in range(20):
        logs = [{"v": f"{trial} {index}"} for index in range(1140)] + [{"v": "now and then"}] * 60
        summary = summarize(logs)
        shown = {entry["value"]: entry["count"] for entry in to_json(summary)["v"]["values"]}
        if "now and then" in summary["v"].values.draws:
            drawn += 1
            assert abs(shown["now and then"] - 60) < 25
    assert drawn >= 8


def test_the_values_drawn_are_a_sample_by_frequency() -> None:
    """A value of one log in ten is kept as often as Gumbel draws say, however the logs were cut in batches."""
    random.seed(12)
    trials = 300
    found = 0
    for trial in range(trials):
        logs = [{"v": f"{trial} {index}"} for index in range(900)] + [{"v": "often"}] * 100
        random.Random(trial).shuffle(logs)
        parts = [summarize(logs[start : start + 250]) for start in range(0, 1000, 250)]
        found += "often" in functools.reduce(merge_summaries, parts)["v"].values.draws
    expected = 1 - 0.9**MAX_VALUES
    assert abs(found / trials - expected) < 5 * math.sqrt(expected * (1 - expected) / trials) + 0.02


def test_an_incomplete_set_stays_incomplete_when_it_meets_nothing_new() -> None:
    many = summarize([{"v": index} for index in range(200)])
    few = summarize([{"v": value} for value in many["v"].values.kept])
    merged = merge_summaries(many, few)["v"]
    assert not merged.values.complete
    assert sum(merged.values.cells) == 2 * merged.count == 2 * (200 + MAX_VALUES)


def test_up_to_the_limit_everything_is_exact() -> None:
    logs = [{"status": status} for status in range(MAX_VALUES) for _ in range(status + 1)]
    shown = to_json(summarize(logs))["status"]
    assert shown["complete"] is True
    assert shown["distinct"] == MAX_VALUES
    assert shown["values"][0] == {"value": str(MAX_VALUES - 1), "count": MAX_VALUES}
    assert sum(entry["count"] for entry in shown["values"]) == shown["count"] == len(logs)


def test_what_is_equal_for_python_but_not_for_readers_is_told_apart() -> None:
    values = [entry["value"] for entry in to_json(summarize([{"x": v} for v in (1, 1.0, True, "1")]))["x"]["values"]]
    assert sorted(values) == ["1", "1.0", "true"]


def test_a_rare_value_in_the_cells_of_a_frequent_one_is_not_mistaken_for_it() -> None:
    often = "often"
    place = _places(often)
    rare = next(text for text in (f"rare {index}" for index in range(10**6)) if _places(text) == place)
    logs = [{"v": often}] * 500 + [{"v": rare}] + [{"v": f"other {index}"} for index in range(300)]
    random.seed(13)
    right = 0
    for _ in range(50):
        values = {entry["value"]: entry["count"] for entry in to_json(summarize(logs))["v"]["values"]}
        right += abs(values.get(often, 0) - 500) < 40 and values.get(rare, 0) < 40
    assert right >= 48


def test_what_another_program_wrote_is_left_out() -> None:
    one = to_json(summarize([{"a": 1}]))["a"]
    many = to_json(summarize([{"a": n} for n in range(99)]))["a"]
    strange: list[Any] = [None, 3, "x", [], {}, {"count": 1}, {"count": 1, "values": [1]}]
    strange += [
        one | changed for changed in ({"count": None}, {"count": "1"}, {"count": 0}, {"count": -1}, {"values": []})
    ]
    strange += [one | {"count": 2**53 + 1}, one | {"values": [{"value": "1", "count": -1}]}]
    strange += [one | {"state": state} for state in (3, {}, {"draws": {"1": 10**400}}, {"draws": {"1": None}})]
    strange += [one | {"values": [{"value": str(n), "count": 1} for n in range(MAX_VALUES + 1)]}]
    cells = many["state"]["cells"]
    for state in ({"cells": cells[1:]}, {"cells": [-1, *cells[1:]]}, {"cells": ["", *cells[1:]]}, {"kept": {}}):
        strange.append(many | {"state": many["state"] | state})
    for entry in strange:
        assert list(from_json({"theirs": entry, "ours": one})) == ["ours"], entry
    assert list(from_json({"x" * (MAX_KEY_LENGTH + 1): one, "ours": one})) == ["ours"]
    assert len(from_json({str(n): one for n in range(99)})) == MAX_KEYS


def test_wrong_numbers_cost_only_the_numbers() -> None:
    own = to_json(summarize([{"a": 1}, {"a": 2}, {"a": 3}]))["a"]
    changes: list[Any] = [{"sum": "1.x"}, {"sum": "9" * 5000}, {"count": 0}, {"count": 4}, {"bins": {"0": 10**30}}]
    changes += [{"bins": {"99999": 3}}, {"bins": {"x": 3}}, {"min": 4}, {"max": 10**400}, {"zeros": -1}, {"unit": 3}]
    for numbers in [{"count": 1}, 3, *(own["numbers"] | change for change in changes)]:
        (read,) = from_json({"a": own | {"numbers": numbers}}).values()
        assert (read.count, read.values.kept, read.numbers) == (3, {"1": 1, "2": 1, "3": 1}, None), numbers


def check_that_it_can_be_used(stored: Any, other: Summary) -> None:
    read = from_json(stored)
    for merged in (read, merge_summaries(read, other), merge_summaries(other, read), merge_summaries(read, read)):
        assert same(from_json(json.loads(msgspec.json.encode(to_json(merged)))), merged)


@given(METADATA, METADATA, BATCHES)
def test_whatever_stands_in_a_row_can_be_read_merged_and_rendered(a: Any, b: Any, logs: list[Any]) -> None:
    check_that_it_can_be_used(a, from_json(b))
    check_that_it_can_be_used(b, summarize(logs))


def test_a_summary_with_something_odd_in_any_place_can_be_read_merged_and_rendered() -> None:
    ours = summarize([{"user": "u7", "took": "7ms"}, {"user": 7, "took": "9 MB"}])
    for strange in nearly_ours():
        check_that_it_can_be_used(strange, ours)


def test_what_is_no_object_is_no_summary() -> None:
    assert from_json(None) == {}
    assert from_json([1]) == {}  # type: ignore[arg-type]  # what a foreign row may hold


@given(st.lists(st.dictionaries(st.integers(0, 2000).map(str), st.integers(0, 3), max_size=80), max_size=30))
def test_keys_that_cannot_be_kept_are_left_out_early_and_nothing_else_changes(logs: list[dict[str, int]]) -> None:
    columns: Columns = {}
    gather(columns, logs)
    assert len(columns) <= 8 * MAX_KEYS + 80
    one_by_one: Summary = {}
    for log in logs:
        one_by_one = merge_summaries(one_by_one, summarize([log]))
    counts = {key: entry.count for key, entry in extended({}, columns).items()}
    assert counts == {key: entry.count for key, entry in one_by_one.items()}

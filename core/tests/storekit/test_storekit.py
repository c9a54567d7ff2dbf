"""What the stores share: pieces and poison, aliases, columns, cursors, states, roll-up."""

from __future__ import annotations

import random
import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import pattern_id
from log_aggregator.model.aggregate import Key
from log_aggregator.model.samples import Detail, Samples
from log_aggregator.model.summary import summarize
from log_aggregator.sinks import Aggregate, Alias, merge
from log_aggregator.storekit import (
    CursorError,
    Resolved,
    States,
    StoredRow,
    changed_aliases,
    changed_columns,
    clean_aggregate,
    group_key,
    is_storable,
    pack_aggregate,
    pieces,
    read_cursor,
    resolve_aliases,
    roll_up,
    rows_of,
    stored_aggregate,
    touched_ids,
    unpack_aggregate,
    write_cursor,
)
from log_aggregator.storekit.columns import minutes_of


def aggregate(pattern: str = "p", at: int = 0, **more: object) -> Aggregate:
    fields = {"metadata": summarize([{"took": f"{at}ms"}]), "samples": Samples((f"m{at}",)), "tags": {"t": 1}, **more}
    return Aggregate(at // 300 * 300, pattern, "INFO", "web", 1, at * 10**6, at * 10**6, **fields)  # type: ignore[arg-type]


@given(st.integers(0, 300), st.sets(st.integers(0, 299), max_size=20), st.integers(1, 64))
def test_pieces_find_exactly_the_poison(size: int, poison: set[int], piece_size: int) -> None:
    trial = pieces(range(size), piece_size)
    stored: list[int] = []
    tries = 0
    try:
        piece = next(trial)
        while True:
            tries += 1
            taken = not poison & set(piece)
            stored += piece if taken else []
            piece = trial.send(taken)
    except StopIteration as end:
        refused = end.value
    poison = {row for row in poison if row < size}
    assert refused == sorted(poison)
    assert stored == [row for row in range(size) if row not in poison], "in order, each once"
    assert tries <= size // piece_size + 1 + 2 * len(poison) * (piece_size.bit_length() + 1)


NAMES = st.sampled_from(["a", "b", "c", "d", "e", ""])


@given(st.lists(st.tuples(NAMES.filter(bool), NAMES, st.integers(1, 9)), max_size=12))
def test_aliases_resolve_the_same_in_any_order(raw: list[tuple[str, str, int]]) -> None:
    aliases = [Alias(pattern_id(old), new, at) for old, new, at in raw]
    resolved = resolve_aliases(aliases)
    shuffled = aliases * 2
    random.Random(7).shuffle(shuffled)
    assert resolve_aliases(shuffled) == resolved
    for old_id, end in resolved.items():
        final = resolved.get(end.final_id)
        assert final is None or final.final_id == end.final_id, "the end of a chain stands alone"
        assert (end.final_pattern is None) == (end.final_id == old_id)
        assert end.final_pattern is None or pattern_id(end.final_pattern) == end.final_id


@given(st.lists(st.lists(st.tuples(NAMES.filter(bool), NAMES, st.integers(1, 9)), max_size=4), max_size=8))
def test_aliases_taken_in_by_families_are_as_if_all_were_resolved_at_once(
    batches: list[list[tuple[str, str, int]]],
) -> None:
    table: dict[str, Resolved] = {}
    for batch in batches:
        fresh = [Alias(pattern_id(old), new, at) for old, new, at in batch]
        touched = touched_ids(fresh)
        ends = {*touched, *(table[one].final_id for one in touched if one in table)}
        family = [row.alias for row in table.values() if row.final_id in ends]
        table |= {row.alias.old_id: row for row in changed_aliases(family, fresh)}
    everything = [Alias(pattern_id(old), new, at) for batch in batches for old, new, at in batch]
    assert table == resolve_aliases(everything)


def test_chains_follow_and_circles_end_at_their_oldest_alias() -> None:
    a, b, c = (pattern_id(name) for name in "abc")
    chain = resolve_aliases([Alias(a, "b", 1), Alias(b, "c", 2)])
    assert {old: end.final_pattern for old, end in chain.items()} == {a: "c", b: "c"}
    circle = resolve_aliases([Alias(a, "b", 1), Alias(b, "c", 2), Alias(c, "a", 3)])
    assert {end.final_id for end in circle.values()} == {a}
    assert circle[a].final_pattern is None
    taken_back = resolve_aliases([Alias(a, "b", 1), Alias(a, "", 2), Alias(a, "c", 1)])
    assert (taken_back[a].final_id, taken_back[a].final_pattern) == (a, None)


def test_columns_read_back_as_they_were() -> None:
    described = {"minutes": (0, 1), "variables": summarize([{"ID": "5"}])}
    details = (Detail(3, '{"a":1}'), Detail(9, "", (2, '{"b":2}')))
    row = merge(aggregate(at=1, categories={"db": 2, "auth": 2}, **described), aggregate(at=2), 5)
    row = merge(row, aggregate(at=3, samples=Samples(("m1", "m2"), 1, details)), 5)
    columns = changed_columns(row, None)
    back = stored_aggregate(
        row.key, row.pattern, row.count, row.first_seen, row.last_seen, columns.metadata, columns.sample_messages,
        columns.latest_sample, columns.categories, columns.tags, columns.minutes, columns.variables,
        columns.sample_details,
    )  # fmt: skip
    assert back == row
    assert (row.minutes, row.variables["ID"].count) == ((0, 1), 1)
    assert row.samples.details[row.samples.latest].earliest is not None
    assert columns.category == "auth"
    same = changed_columns(merge(row, Aggregate(0, "p", "INFO", "web", 1, 10**6, 10**6), 5), row)
    unchanged = (same.metadata, same.sample_messages, same.categories, same.tags, same.variables, same.sample_details)
    assert unchanged == (None,) * 6, "nothing new, nothing written"


@pytest.mark.parametrize(
    "odd", ["null", "{}", "[]", "[1,null]", "[-1,2]", "[1.5]", "[true]", "[3,0]", "[9]", "x", f"[{'0,' * 2000}1]"]
)
def test_minutes_of_another_form_are_not_known(odd: str) -> None:
    assert minutes_of(odd, 5) == ()
    assert minutes_of("[2,0,3]", 5) == (2, 0, 3)


@pytest.mark.parametrize(
    "odd", ["null", "{}", "[]", "[null]", '[{"time":"x"}]', '[{"time":1},{"time":2}]', '[{"time":1e30}]', "[" * 5000]
)
def test_details_of_another_form_are_not_known(odd: str) -> None:
    row = stored_aggregate(Key(0, "p", "INFO", "web"), "p", 1, 1, 2, None, '["m"]', 0, sample_details=odd)
    assert row.samples == Samples(("m",))
    row = stored_aggregate(
        Key(0, "p", "INFO", "web"), "p", 1, 1, 2, None, '["m"]', 0, sample_details='[{"time":1,"metadata":[1],"x":2}]'
    )
    assert row.samples == Samples(("m",), 0, (Detail(1),))


@pytest.mark.parametrize("odd", ["null", "[]", '{"a":1}', '"x"', "{", "[1,null]", '{"took":{"count":"x"}}'])
def test_rows_of_other_programs_read_as_empty(odd: str) -> None:
    row = stored_aggregate(Key(0, "", "", ""), "p", 1, 0, 0, odd, odd, 9, odd, odd)
    assert (row.metadata, row.samples.messages, row.samples.latest) == ({}, (), 0)
    assert set(row.tags) <= {"a"}


def test_rows_are_one_a_key_in_one_order_for_all() -> None:
    given = [aggregate(f"p{n % 50}", at=n) for n in range(400)]
    rows = rows_of(given, 5)
    assert sum(row.fresh.count for row in rows) == 400
    assert len({row.order for row in rows}) == len(rows)
    assert [row.order for row in rows_of(reversed(given), 5)] == sorted(row.order for row in rows)


def test_a_group_key_keeps_its_parts_apart() -> None:
    keys = {
        group_key(Key(0, "p", *parts))
        for parts in [("a", "bc"), ("ab", "c"), ("a", "b", "c"), ("", "abc"), ("abc", "")]
    }
    assert len(keys) == 5
    assert {len(key) for key in keys} == {16}


def test_packed_aggregates_hold_anything() -> None:
    bad = aggregate("a\0b\ud800", tags={"\udfff": 1}, samples=Samples(("\0",)), metadata=summarize([{"\0": "5ms"}]),
                    variables=summarize([{"ID": "\0"}]))  # fmt: skip
    assert unpack_aggregate(pack_aggregate(bad)) == bad
    clean = clean_aggregate(bad)
    assert is_storable(clean.pattern + "".join(clean.tags) + clean.samples.messages[0] + "".join(clean.metadata))
    assert list(clean.variables["ID"].values.kept) == ["\ufffd"]
    assert clean.count == bad.count
    assert clean_aggregate(clean) == clean


def test_cursors_are_read_back_and_nothing_else() -> None:
    assert read_cursor(write_cursor("count", 5, "id"), "count") == (5, "id")
    for text in ("", "x", "e30", "ü", write_cursor("newest", 5, "id")):
        with pytest.raises(CursorError):
            read_cursor(text, "count")


def test_states_forget_the_least_recently_used() -> None:
    states = States(3000)
    rows = rows_of([aggregate(f"p{n}") for n in range(5)], 5)
    for row in rows:
        states.put(row.key, 1, row.merged)
        states.get(rows[0].key)
    assert states.get(rows[0].key) == (1, rows[0].merged)
    assert states.get(rows[-1].key) is not None
    assert states.get(rows[1].key) is None
    states.put(rows[0].key, 2, rows[0].merged)
    assert states.get(rows[0].key) == (2, rows[0].merged)
    states.clear()
    assert len(states) == 0
    none = States(0)
    none.put(rows[0].key, 1, rows[0].merged)
    assert none.get(rows[0].key) is None


def test_states_of_a_large_flush_replace_the_oldest() -> None:
    states, written = States(3000), States(3000)
    rows = rows_of([aggregate(f"p{n}") for n in range(20)], 5)
    states.put(rows[0].key, 0, rows[0].merged)
    assert states.take(rows[0].key) == rows[0].merged
    assert states.take(rows[0].key) is None
    for row in rows:
        states.put(row.key, 0, row.merged)
        written.put(row.key, 0, row.merged)
    most = len(states)
    assert 1 < most < len(rows)
    written.put(rows[0].key, 0, rows[0].merged)
    states.take_over(written)
    assert (len(states), len(written)) == (most, 0)
    assert states.get(rows[0].key) is not None
    assert states.get(rows[1].key) is None


def test_states_take_no_more_memory_than_they_may() -> None:
    allowed = 500_000
    states = States(allowed)
    metadata = summarize([{"took": f"{1.05**exponent:.3f} ms"} for exponent in range(100)])
    rows = rows_of([aggregate(f"p{number}", metadata=metadata) for number in range(1000)], 5)
    tracemalloc.start()
    try:
        for row in rows:
            states.put(row.key, 0, row.merged)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(states) > 200
    assert used < allowed


def test_roll_up_keeps_the_row_that_starts_the_hour() -> None:
    given = [aggregate(at=at) for at in (3900, 3600, 4500)]
    rows = [StoredRow(n, row.key, row) for n, row in enumerate(given)]
    (rolled,) = roll_up(3600, rows, 5)
    assert (rolled.keep, sorted(rolled.drop)) == (1, [0, 2])
    expected = [msgspec.structs.replace(row, bucket=3600) for row in given]
    assert rolled.merged == merge(merge(expected[0], expected[1], 5), expected[2], 5)
    assert rolled.merged.bucket == 3600

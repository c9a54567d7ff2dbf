"""Numbers that a pattern masked come back as metadata, and only those."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_aggregator import Record
from log_aggregator.model.number_texts import parse_number
from log_aggregator.model.summary import summarize, to_json
from log_aggregator_classify import ClassifyPlugin
from log_aggregator_classify.config import Config
from log_aggregator_classify.measures import FRUITLESS_TRIES, LONGEST, MOST, plan
from log_aggregator_dev import run_stage

NAMES = ("TIME", "SIZE")


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("Query took {TIME}s", "Query took 0.05s", {"{TIME}": "0.05s"}),
        ("{TIME} ms for {ID}", "12 ms for 7", {"{TIME}": "12 ms"}),
        ("sent {SIZE} in {TIME}", "sent 1,234 bytes in 3.5s", {"{SIZE}": "1234 bytes", "{TIME}": "3.5s"}),
        ("at {TIME} took {TIME}ms", "at 12:30:00 took 3ms", {"{TIME 2}": "3ms"}),
        ("took {TIME}s of {TIME} seconds", "took 1s of 2 seconds", {"{TIME}": "1s", "{TIME 2}": "2 seconds"}),
        ("user {VAR} took {TIME}s", "user took took 5s", {"{TIME}": "5s"}),
        ("at {TIME}", "at 2026-01-02 03:04:05", {}),
        ("{TIME}{SIZE}", "1s2B", {}),
        ("User {ID}", "User 1", {}),
        ("took {TIME}s", "something else", {}),
        ("took {TIME}s", "took 5x", {}),
        ("took {TIME}s more {ID} end", "took 5", {}),
        ("took {TIME}s", "took " + "1" * 50 + "s", {}),
        ("a{TIME}, {ID}s", "a5 ss", {}),
        ("sent {SIZE}s{TIME}s", "sent 5s", {}),
        ("", "took 5s", {}),
    ],
)  # fmt: skip
def test_what_is_taken(pattern: str, message: str, expected: dict[str, str]) -> None:
    record = Record(message, "INFO", "x", 0, {"user": 1}, pattern=pattern)
    run_stage(ClassifyPlugin(Config()), [record])
    assert record.metadata == {"user": 1, **expected}


@given(
    st.lists(st.sampled_from(["{TIME}", "{SIZE}", "{ID}", "a ", " b", "s", " "])).map("".join),
    st.text("1 abs.", max_size=30),
)
def test_no_pattern_and_no_message_make_it_raise(pattern: str, message: str) -> None:
    how = plan(pattern, NAMES)
    taken = how.take(message) if how else {}
    assert len(taken) <= MOST
    assert all(len(value) < 60 for value in taken.values())


PARTS = ["{TIME}", "{SIZE}", "{ID}", "a", "a ", " b", "s", " ", ", ", " ms"]
VALUES = ["1", "12 ms", "1,5s", "2 MB", "", "x", "a", "s", " b", ", "]


def taken_by_an_expression(pattern: str, message: str) -> dict[str, str]:
    """The plain way: one expression for the whole pattern up to the last value, which never goes back."""
    texts = re.split(r"\{(?:TIME|SIZE|ID)\}", pattern)
    names = re.findall(r"\{(TIME|SIZE|ID)\}", pattern)
    wanted = [place for place, name in enumerate(names) if name in NAMES][:MOST]
    if not wanted or "" in texts[1:-1]:
        return {}
    parts = [re.escape(texts[0])]
    for place, text in enumerate(texts[1 : wanted[-1] + 2]):
        value, end = ("(.*)", r"\Z") if place == len(names) - 1 else ("(.+?)", "")
        parts.append(f"(?>{value}{re.escape(text)}{end})")
    match = re.match("".join(parts), message, re.DOTALL)
    if match is None or not message.endswith(texts[-1]):
        return {}
    found, seen = {}, {"TIME": 0, "SIZE": 0}
    for place in wanted:
        name = names[place]
        seen[name] += 1
        unit = re.match(r" ?[a-z]{1,12}(?![a-z])", texts[place + 1])
        value = match[place + 1].replace(",", "")
        value += unit[0] if unit and parse_number("1" + unit[0]) else ""
        if len(match[place + 1]) <= LONGEST and parse_number(value):
            found[f"{{{name}}}" if seen[name] == 1 else f"{{{name} {seen[name]}}}"] = value
    return found


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PARTS), max_size=9), st.data())
def test_what_is_taken_is_what_an_expression_would_take(parts: list[str], data: st.DataObject) -> None:
    said = data.draw(st.lists(st.sampled_from(PARTS), max_size=9)) if data.draw(st.booleans()) else parts
    message = "".join(data.draw(st.sampled_from(VALUES)) if part[:1] == "{" else part for part in said)
    pattern = "".join(parts)
    how = plan(pattern, NAMES)
    assert (how.take(message) if how else {}) == taken_by_an_expression(pattern, message)


def test_a_placeholder_that_holds_no_amounts_is_given_up_and_the_others_are_not() -> None:
    how = plan("at {TIME} took {TIME}ms, sent {SIZE} by {ID}", NAMES)
    assert how is not None
    for number in range(3 * FRUITLESS_TRIES):
        assert ("{TIME}" in [slot.key for slot in how.slots]) == (number < FRUITLESS_TRIES)
        size = "much" if number % FRUITLESS_TRIES else "1 MB"
        found = how.take(f"at 12:30 took {number}ms, sent {size} by 7")
        assert found["{TIME 2}"] == f"{number}ms"
    assert [slot.key for slot in how.slots] == ["{TIME 2}", "{SIZE}"]
    assert how.take("at 5 s took 3ms, sent 2 MB by 7") == {"{TIME 2}": "3ms", "{SIZE}": "2 MB"}
    for _ in range(FRUITLESS_TRIES):
        assert how.take("something else") == {}
    assert how.slots == ()
    assert how.take("at 5 s took 3ms, sent 2 MB by 7") == {}


def test_a_pattern_without_amounts_is_not_looked_at_any_more() -> None:
    plugin = ClassifyPlugin(Config())
    run_stage(plugin, [Record("at 12:30", "INFO", "x", 0, {}, pattern="at {TIME}") for _ in range(FRUITLESS_TRIES)])
    record = Record("at 5 s", "INFO", "x", 0, {}, pattern="at {TIME}")
    run_stage(plugin, [record])
    assert record.metadata == {}


@given(st.lists(st.tuples(st.sampled_from([" took ", " then ", " for x "]), st.integers(0, 999), st.sampled_from(["s", "ms", " MB"])), min_size=1, max_size=4))  # fmt: skip # noqa: E501
def test_values_that_cannot_be_confused_are_found(parts: list[tuple[str, int, str]]) -> None:
    pattern = "".join(f"{text}{{TIME}}{unit};" for text, _, unit in parts)
    message = "".join(f"{text}{number}{unit};" for text, number, unit in parts)
    how = plan(pattern, NAMES)
    assert how is not None
    assert list(how.take(message).values()) == [f"{number}{unit}" for _, number, unit in parts]


def test_shared_metadata_is_replaced_and_sent_keys_win() -> None:
    shared = {"{TIME}": "mine"}
    record = Record("took 5s", "INFO", "x", 0, shared, pattern="took {TIME}s")
    other = Record("took 5s", "INFO", "x", 0, {}, pattern="took {TIME}s")
    run_stage(ClassifyPlugin(Config()), [record, other])
    assert record.metadata == {"{TIME}": "mine"}
    assert shared == {"{TIME}": "mine"}
    assert other.metadata == {"{TIME}": "5s"}


def test_it_can_be_turned_off() -> None:
    record = Record("took 5s", "INFO", "x", 0, {}, pattern="took {TIME}s")
    run_stage(ClassifyPlugin(Config(measures=())), [record])
    assert record.metadata == {}


def test_durations_of_a_pattern_get_statistics() -> None:
    records = [Record(f"Query took {n}ms", "INFO", "db", 0, {}, pattern="Query took {TIME}ms") for n in range(1, 101)]
    run_stage(ClassifyPlugin(Config()), records)
    numbers = to_json(summarize(record.metadata for record in records))["{TIME}"]["numbers"]
    assert (numbers["unit"], numbers["count"], numbers["max"]) == ("s", 100, 0.1)
    assert numbers["p50"] == pytest.approx(0.05, rel=0.05)


def test_long_messages_cost_time_in_proportion_to_their_length() -> None:
    """Eight times the length: about 8 times the time when linear, 64 times when quadratic."""
    how = plan("a {ID} a {ID} a {ID} a {ID} a {TIME}s b", NAMES)
    assert how is not None

    def seconds(length: int) -> float:
        message = "a " * (length // 2) + "s b"
        times = []
        for _ in range(5):
            start = time.process_time()
            how.take(message)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(16_384) < 32 * seconds(2048) + 0.005

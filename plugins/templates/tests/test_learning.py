"""What is learned from which evidence, and what is not."""

from __future__ import annotations

from itertools import pairwise

import pytest

from log_aggregator_templates import TemplateMiner
from log_aggregator_templates.bucket import _WINDOW

from .learned import NAMES, Learner, learn


def only(lines: list[str]) -> str:
    found = set(learn(lines))
    assert len(found) == 1, found
    return found.pop()


def test_many_words_at_one_place_are_a_variable() -> None:
    assert (
        only([f"session opened for user {name} by root" for name in NAMES]) == "session opened for user {VAR} by root"
    )


def test_the_first_word_can_be_the_variable() -> None:
    assert only([f"{name} has left the channel" for name in NAMES]) == "{VAR} has left the channel"


def test_few_words_are_not() -> None:
    lines = ["link went up", "link went down"]
    assert learn(lines) == lines


def test_the_fewer_words_hold_a_line_the_more_evidence_is_needed() -> None:
    long = [f"the request of customer {name} was stored in the ledger" for name in NAMES[:4]]
    short = [f"removing {name}" for name in NAMES[:4]]
    assert len(set(learn(long))) == 1
    assert learn(short) == short
    assert len(set(learn([f"removing {name}" for name in NAMES]))) == 1


def test_a_line_of_one_word_is_never_merged() -> None:
    assert learn(NAMES) == NAMES


def test_names_of_things_need_little_evidence() -> None:
    assert only(["loaded class org.acme.Foo now", "loaded class org.acme.Bar now"]) == "loaded class {VAR} now"


def test_a_value_behind_an_equals_sign_is_variable_at_once_and_its_key_never() -> None:
    assert only(["user=bob left", "user=alice left"]) == "user={VAR} left"
    keys = [f"setting {name}={{ID}} done" for name in NAMES]
    assert learn(keys) == keys


def test_truth_values_are_variable() -> None:
    assert only(["ready: true", "ready: false", "ready: null"]) == "ready: {VAR}"


def test_lists_of_any_length_are_one() -> None:
    assert only(["nodes {ID} {ID} down", "nodes {ID} down", "nodes {ID} {ID} {ID} {ID} down"]) == "nodes {ID} down"


def test_kinds_that_differ_are_one_pattern() -> None:
    assert only(["moved by {ID} units", "moved by {NUM} units"]) == "moved by {NUM} units"
    assert only(["call from {IP} ended", "call from {HOST} ended"]) == "call from {VAR} ended"


def test_a_placeholder_is_half_the_proof() -> None:
    assert only(["peers were moved to host {IP}", "peers were moved to host alpha"]) == "peers were moved to host {VAR}"
    lines = ["server started {TIME}", "server started well"]
    assert learn(lines) == lines


def test_two_places_can_vary_at_once() -> None:
    lines = [f"copy of volume {a} to host {b} has ended well" for a, b in zip(NAMES[:10], NAMES[10:], strict=True)]
    assert only(lines) == "copy of volume {VAR} to host {VAR} has ended well"


def test_steps_of_a_state_machine_stay_apart() -> None:
    states = ["NEW", "READY", "RUNNING", "STOPPED", "FAILED", "KILLED", "DONE"]
    lines = [f"{{ID}} task went from {a} to {b} again" for a, b in pairwise(states)]
    assert learn(lines) == lines


def test_other_separators_around_a_variable_do_not_split_a_pattern() -> None:
    assert (
        only(["synced to {IP}, stratum {ID}", "synced to LOCAL({ID}), stratum {ID}"]) == "synced to {VAR}, stratum {ID}"
    )


def test_lines_with_other_separators_and_no_bare_variable_stay_apart() -> None:
    lines = ["worker[{ID}] has ended well", "queue<{ID}> has ended well"]
    assert learn(lines) == lines


@pytest.mark.parametrize(
    "line", ["", " ", "{", "}{", "{VAR}", "=", "a=", "((((", "x" * 5000, "\x00 \ud800", "{OVERFLOW}"]
)
def test_odd_lines_are_taken(line: str) -> None:
    learner = Learner()
    assert learner.first_sight([line, line])[0] == learner.first_sight([line])[0]


def test_a_word_that_varies_is_learned_though_hundreds_of_patterns_take_turns() -> None:
    miner = TemplateMiner(10_000, 10_000)
    turns = [
        [f"order{n} at{n} desk{n} of{n} branch{n} taken by {name}" for n in range(_WINDOW + 100)] for name in NAMES
    ]
    for lines in turns:
        last = [miner.template(line) for line in lines]
    assert len(set(last)) == len(last)
    assert all("{VAR}" in text for text in last)

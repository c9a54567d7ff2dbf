"""A rule for the word in which messages differ: it matches all of them, and tells nothing of a single one."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.aggregation.rule_suggestion import suggest_rule

WORDS = st.text(string.ascii_letters + string.digits + "-_./'\"{}[]é", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["abcd", "bcde", "cdef", "defg", "efgh", "fghi", "ghij", "hijk"], ""),  # it would be a rule for any word
        ([f"task-{a}bcd" for a in "abcdefgh"], r"task\-[a-z]{4}"),
        ([f"ORD-{number:08d}" for number in range(8)], r"ORD\-[0-9]{8}"),
        ([f"<{number:x}>" for number in range(7, 19)], "<[0-9a-f]{1,}>"),
        ([f"/srv/{a}{a}/x.gz" for a in "abcdefgh"], r"/srv/[a-z]{2}/x\.gz"),
        ([f"it's-{a}{a}" for a in "abcdefgh"], r"it\x27s\-[a-z]{2}"),
        (["same"] * 20, ""),
        (["a", "b", "c"], ""),
    ],
)
def test_what_varies_becomes_a_rule(words: list[str], rule: str) -> None:
    assert suggest_rule([f"did {word} now" for word in words]) == rule


@given(st.lists(WORDS, min_size=8, max_size=30, unique=True))
def test_a_rule_matches_every_word_it_was_made_from(words: list[str]) -> None:
    rule = suggest_rule([f"did #{word} now" for word in words])
    assert rule
    assert "'" not in rule
    assert all(re.fullmatch(rule, f"#{word}") for word in words)


def test_without_messages_there_is_none() -> None:
    assert suggest_rule([]) == suggest_rule([""] * 20) == ""

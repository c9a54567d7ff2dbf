"""Ids and totals: whatever is learned later, every count is under the pattern that holds in the end."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_aggregator_templates.book import Book

from .learned import NAMES, Learner

WORDS = st.sampled_from(
    ["open", "close", "user", "for", "of", "by", *NAMES[:9], "{ID}", "{IP}", "a.b.c", "x_y", "k=v", "(up)"]
)
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), max_size=80)


@given(LINES)
@settings(max_examples=200, deadline=None)
def test_every_text_ever_given_leads_to_what_the_line_gets_now(lines: list[str]) -> None:
    learner = Learner()
    first = learner.first_sight(lines)
    now = learner.first_sight(lines)
    assert [learner.final(text) for text in first] == [learner.final(text) for text in now]
    assert all(learner.final(text) == text for text in now)


@given(LINES)
@settings(max_examples=100, deadline=None)
def test_an_alias_never_leads_in_a_circle_and_never_to_itself(lines: list[str]) -> None:
    learner = Learner()
    learner.first_sight(lines)
    for earlier in learner.aliases:
        end = learner.final(earlier)
        assert end != earlier
        assert end not in learner.aliases


@given(LINES, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_totals_stay_exact(lines: list[str], chance: random.Random) -> None:
    stream = [chance.choice(lines) for _ in range(200)] if lines else []
    learner = Learner()
    stored = Counter(learner.first_sight(stream))
    shown: Counter[str] = Counter()
    for text, count in stored.items():
        shown[learner.final(text)] += count
    assert shown == Counter(learner.first_sight(stream))


def test_an_alias_is_told_once_for_each_earlier_text() -> None:
    told: list[tuple[str, str]] = []
    learner = Learner()
    learner.miner.on_change = lambda earlier, now: told.append((earlier, now))
    lines = [f"session opened for user {name} by root" for name in NAMES]
    learner.first_sight(lines)
    learner.first_sight(lines)
    assert {now for _, now in told} == {"session opened for user {VAR} by root"}
    assert len(told) == len(set(told)) < len(lines)


def test_the_properties_find_a_miner_that_forgets_an_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: only the text shown last gets an alias, not those before it."""
    publish = Book._publish
    monkeypatch.setattr(Book, "_publish", lambda book, root: publish(book, root)[-1:])
    learner = Learner()
    first = learner.first_sight([f"session opened for user {name} by root" for name in NAMES])
    assert len({learner.final(text) for text in first}) > 1

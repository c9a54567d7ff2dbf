"""Finding the template of a line: through the index, and by asking every template, is the same."""

from __future__ import annotations

from operator import ne

from hypothesis import given
from hypothesis import strategies as st

from log_aggregator_templates import bucket as bucket_module
from log_aggregator_templates.bucket import Bucket
from log_aggregator_templates.sharing import Sharing, newest
from log_aggregator_templates.template import Template
from log_aggregator_templates.tokens import VARIABLE

PLACES = 4
word = st.sampled_from(["a", "b", VARIABLE])
words = st.tuples(*[word] * PLACES)


def template(parts: tuple[str, ...], learned: bool) -> Template:
    one = Template(("",) * (len(parts) + 1), parts, parts)
    if learned:
        one.learned = frozenset(place for place, part in enumerate(parts) if part == VARIABLE)
    return one


def asked_one_by_one(bucket: Bucket, line: tuple[str, ...]) -> Template | None:
    if line in bucket.templates:
        return bucket.templates[line]
    covering = [
        one
        for one in bucket.templates.values()
        if one.learned and all(part in (VARIABLE, other) for part, other in zip(one.words, line, strict=True))
    ]
    return min(covering, key=lambda one: (one.words.count(VARIABLE), one.words), default=None)


@given(st.dictionaries(words, st.booleans(), max_size=80), st.sets(words, max_size=10), words)
def test_the_index_finds_what_a_search_finds(kept, removed, line):
    bucket = Bucket(("",) * (PLACES + 1))
    for parts, learned in kept.items():
        bucket.add(template(parts, learned))
    for parts in removed & kept.keys():
        bucket.remove(bucket.templates[parts])
    assert bucket.find(line) is asked_one_by_one(bucket, line)


@given(st.lists(words, max_size=100, unique=True), st.data())
def test_few_or_many_that_share_a_word_are_found_newest_first(kept, data):
    sharing, noted = Sharing(), [template(parts, learned=False) for parts in kept]
    for one in noted:
        sharing.add(one, enumerate(one.words))
    gone = set(data.draw(st.lists(st.sampled_from(noted), unique=True))) if noted else set()
    for one in gone:
        sharing.remove(one, enumerate(one.words))
    left = [one for one in noted if one not in gone]
    for place in range(PLACES):
        having = [one for one in left if one.words[place] == "a"]
        found = sharing.rarest([(place, "a")] if having else [], 1)
        assert [list(some) for some in found] == ([having] if having else [])
        assert [newest(some, 3) for some in found] == ([having[::-1][:3]] if having else [])


lines = st.tuples(*[st.sampled_from(["a", "b", "c", VARIABLE])] * 6)


@given(st.lists(lines, min_size=1, max_size=60, unique=True))
def test_all_that_are_near_are_looked_at(kept):
    """Whether they are found by one rare word or by two."""
    bucket = Bucket(("",) * 7)
    for parts in kept:
        bucket.add(template(parts, learned=False))
    for one in bucket.templates.values():
        looked_at = {other.words for other in bucket._near(one)}
        near = {parts for parts in kept if parts != one.words and sum(map(ne, parts, one.words)) <= 2}
        assert near <= looked_at
        assert one.words not in looked_at


def test_those_with_one_word_in_common_are_not_compared_when_that_is_not_enough():
    bucket = Bucket(("",) * 7)
    new = template(tuple("abcdef"), learned=False)
    for number in range(300):
        words = [f"{place}{number}" for place in range(6)]
        words[number % 6] = "abcdef"[number % 6]
        bucket.add(template(tuple(words), learned=False))
    bucket.add(template(("a", "b", "c", "d", "e", "x"), learned=False))
    assert {other.words for other in bucket._near(new)} == {("a", "b", "c", "d", "e", "x")}


def test_merging_looks_at_those_with_the_rarest_word_not_at_all_that_begin_alike(monkeypatch):
    """With 50,000 templates, each merge held the event loop up for a sixth of a second."""
    looked_at = []
    really = bucket_module._covers
    monkeypatch.setattr(
        bucket_module, "_covers", lambda general, words: looked_at.append(words) or really(general, words)
    )
    bucket = Bucket(("", *[" "] * 7, ""))
    for number in range(2000):
        bucket.add(template(("job", *[f"{place}x{number}" for place in "abcdefg"]), learned=False))
    merged = []
    for user in range(12):
        new = template(("job", "of", f"user{user}", "took", "long", "in", "room", "one"), learned=False)
        if bucket.find(new.words) is None:
            bucket.add(new)
            merged += bucket.generalize(new)
    assert [general.words for general, _ in merged] == [("job", "of", VARIABLE, "took", "long", "in", "room", "one")]
    assert len(looked_at) < 100

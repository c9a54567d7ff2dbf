"""Lines that differ in names are cut as each would be alone."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from log_aggregator_templates.frames import FAMILIAR, Frames
from log_aggregator_templates.miner import TemplateMiner
from log_aggregator_templates.tokens import cut

from .learned import NAMES

WORDS = st.sampled_from(
    (
        "for", "opened", "user", "true", "None", "null", "seconds", "ms", "bob", "zqbh", "{ID}", "{TIME}", "{UUID}",
        "x_{ID}",
        "Foo@{HEX}", "[redacted:token]", "%", "a.b", "dirs:", "columns:", "failed", "ERROR", "key=", "status=",
        "a" * 30,
        "éa",
        "日本", "\0", "12", "-", "()", "[]", "''", '""', "{", "}",
    )
)  # fmt: skip
NAME = st.just("NAME")
GLUE = st.sampled_from(
    (" ", " ", " ", " ", ", ", ",", ": ", ":", ' "', '" ', '"', "'", " (", ") ", "[", "] ", "; ", "  ", ".")
)
FRAMES = st.lists(st.tuples(st.one_of(WORDS, NAME, NAME), GLUE), min_size=1, max_size=9)
SPECIAL = ("true", "NULL", "ms", "seconds", "ERROR", "ab", "status", "reason")


@settings(max_examples=150)
@given(frame=FRAMES, seed=st.integers(0, 10**6))
def test_a_line_is_cut_as_alone(frame: list[tuple[str, str]], seed: int) -> None:
    draw, frames = random.Random(seed), Frames()
    for number in range(FAMILIAR + 6):
        line = "".join((_name(draw) if word == "NAME" else word) + glue for word, glue in frame)
        if number % 2:
            line = line.strip()
        assert frames.cut(line)[0] == cut(line)


def _name(draw: random.Random) -> str:
    if draw.random() < 0.2:
        return draw.choice(SPECIAL)
    return draw.choice((*NAMES, "".join(draw.choices("abcdefXYZ", k=draw.randint(3, 33)))))


def _fresh(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in f"{number:06}")


def test_only_names_are_looked_at_anew() -> None:
    frames = Frames()
    lines = [f'session of {_fresh(n)} "{_fresh(7 * n)} x{_fresh(n)}" opened' for n in range(40)]
    found = [frames.cut(line) for line in lines]
    assert 'session of \0 "\0 \0" opened' in frames._known
    assert [line for line, _ in found] == list(map(cut, lines))
    assert found[-1][1] is found[-2][1] is not None


def test_a_word_that_grows_long_is_variable() -> None:
    frames = Frames()
    for length in (5, 5, 5, 5, 5, 5, 5, 5, 5, 16):
        names = " ".join("q" * length + "abcdefghijklmnop"[place] for place in range(3))
        line = f'said "{names}{" a b" * 28}" now'
        assert frames.cut(line)[0] == cut(line)
    assert len(line) > 160


def test_a_template_is_shown_what_it_was_not_shown_before() -> None:
    """Lines of one frame by turns with lines that widen its template: as a miner that forgets all frames."""
    one, other = TemplateMiner(), TemplateMiner()
    draw = random.Random(3)
    lines = [f"session of {_fresh(n)} ended by {draw.choice(('{ID}', '{UUID}', _fresh(3 * n)))}" for n in range(200)]
    for line in lines:
        other._frames = Frames()
        assert one.template(line) == other.template(line)
    assert sorted(t.text for t in one.book) == sorted(t.text for t in other.book)

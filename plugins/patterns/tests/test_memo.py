"""The memo gives exactly what the rules give, whatever was seen before, and stays small."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from log_aggregator import shape_of
from log_aggregator_patterns import PatternMemo, Rule, RuleSet, Span, Variables, builtin_rules, ruleset
from log_aggregator_patterns import memo as memo_room
from tests.support.beside import REAL_LINES, needs_real_lines

PICKY = (
    Rule(name="client-error", regex=r"(?<!\d)4\d\d(?!\d)"),
    Rule(name="low", regex=r"(?<!\d)[0-4]+(?!\d)", first=False),
    Rule(name="no-seven", regex=r"x[^7]y", first=False),
    Rule(name="ends-in-zero", regex=r"k\d{0,8}(?!1)0", first=False),
    Rule(name="twice", regex=r"(\d)\1z", first=False),
    Rule(name="keep", regex="=[A-Z]{1,9}"),
)
SETS = {
    "builtin": RuleSet(builtin_rules()),
    "picky before builtin": RuleSet([*PICKY[:1], *builtin_rules(), *PICKY[5:]]),
    "picky alone": RuleSet(PICKY),
    "picky one by one": RuleSet(PICKY[1:3]),
    "keeping digits": RuleSet(PICKY[5:]),
}

WORDS = st.sampled_from(
    [
        "user",
        "x7y",
        "x1y",
        "404",
        "200",
        "44z",
        "45z",
        "k10",
        "k110",
        "0x1f",
        "5x1f",
        "10.0.0.1",
        "256.300.1.2",
        "7_ms",
        "'",
        '"',
        "/a/b1",
        "1:2",
        "2024-01-02",
        "a@b.cd",
        "=AB",
        "\x01",
        "é",
        "٣",
        "md5(",
        "v1.2-3",
        "::1",
        "7 ms",
        "  ",
        "\n",
    ]
)
LINES = st.lists(WORDS | st.text(st.sampled_from("0123456789abxyz.:-/\"' ="), max_size=8), max_size=8).map(" ".join)


def same_shape(line: str, seed: int) -> str:
    chance = random.Random(seed)
    return "".join(chance.choice("0123456789") if character in "0123456789" else character for character in line)


@pytest.mark.parametrize("name", SETS)
@given(line=LINES | st.text(max_size=40), seeds=st.lists(st.integers(), min_size=1, max_size=3))
@example(line="404", seeds=[1, 2])
@example(line="x7y k10", seeds=[3, 4])
@example(line="44z", seeds=[5, 6, 7])
@example(line="1=AB2 =C 3", seeds=[8, 9])
@settings(max_examples=150, deadline=None)
def test_the_memo_is_exact(name: str, line: str, seeds: list[int]) -> None:
    rules = SETS[name]
    memo, values = PatternMemo(rules), Variables(rules)
    for each in [line, *(same_shape(line, seed) for seed in seeds)]:
        assert memo.mask(each, shape_of(each)) == rules.mask(each)
        direct = [(span.placeholder, each[span.start : span.end]) for span in rules.spans(each)]
        assert [tuple(value) for value in values.of(each)] == direct


def test_the_property_finds_a_memo_that_trusts_every_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: rules that tell digits apart are treated as if they did not."""
    monkeypatch.setattr(ruleset, "relaxed", lambda _: None)
    rules = RuleSet(PICKY)
    memo = PatternMemo(rules)
    lines = ["404", "504", "x1y", "x7y", "k10", "k11", "44z", "45z"]
    assert [memo.mask(line, shape_of(line)) for line in lines] != [rules.mask(line) for line in lines]


def real_lines() -> Iterator[str]:
    for path in sorted(REAL_LINES.glob("*/*.csv")):
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            yield from (row["Content"] for row in csv.DictReader(file))


@needs_real_lines
@pytest.mark.parametrize("name", ["builtin", "picky before builtin"])
def test_the_memo_is_exact_on_real_lines(name: str) -> None:
    rules = SETS[name]
    memo = PatternMemo(rules)
    lines = list(real_lines())
    assert len(lines) > 10_000
    for number, line in enumerate(lines):
        for each in (line, same_shape(line, number)):
            assert memo.mask(each, shape_of(each)) == rules.mask(each)
    assert memo.misses < len(lines)


def in_letters(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in range(4))


def test_the_memory_is_bounded_and_keeps_what_is_seen_often() -> None:
    memo = PatternMemo(SETS["builtin"], characters=10_000)
    for number in range(3000):
        memo.mask(in_letters(number), in_letters(number))
        memo.mask("often", "often")
        assert memo.remembered() <= 2 * 10_000
    assert memo.misses == 3001


def test_patterns_that_keep_digits_share_the_memory() -> None:
    rules, memo = SETS["keeping digits"], PatternMemo(SETS["keeping digits"], characters=50_000)
    for number in range(4000):
        keeps, unlike = f"{'x' * (500 + number % 10)} of {number:05}", in_letters(number) * 125
        line = keeps if number % 380 < 300 else unlike
        assert memo.mask(line, shape_of(line)) == rules.mask(line)
        assert memo.remembered() <= 2 * 50_000


def test_numbers_that_stay_and_never_come_again_take_little_memory() -> None:
    memo = PatternMemo(SETS["keeping digits"])
    for number in range(1000):
        memo.mask(f"number {number:05}", "number 00000")
    assert memo.remembered() < 40 * len("number 00000")


def test_a_pattern_that_keeps_digits_is_put_together_once(monkeypatch: pytest.MonkeyPatch) -> None:
    put_together: list[str] = []

    def counting(message: str, spans: Sequence[Span]) -> str:
        put_together.append(message)
        return ruleset.assemble(message, spans)

    monkeypatch.setattr(memo_room, "assemble", counting)
    memo = PatternMemo(SETS["builtin"])
    for number in range(1000):
        line = f"jk{number % 4}_init() has job {number:04}"
        memo.mask(line, shape_of(line))
    assert len(put_together) == 4


def test_long_lines_are_remembered_apart_and_push_no_short_one_out() -> None:
    memo = PatternMemo(SETS["builtin"], characters=40_000)
    memo.mask("short", "short")
    for _ in range(3):
        line = "a1 " * 5000
        assert memo.mask(line, shape_of(line)) == "{ID} " * 5000
    assert memo.misses == 2
    for number in range(20):
        line = chr(97 + number) * 9000
        assert memo.mask(line, line) == SETS["builtin"].mask(line)
        assert memo.remembered() <= 2 * 40_000 + 40_000 // 2
    memo.mask("short", "short")
    assert memo.misses == 22


@pytest.mark.parametrize("message", ["\x01 5 \x01", "a\nb 5", "\ud800 5", "5" * 20_000, "\u0661\u0662 5"])
def test_odd_text_is_masked(message: str) -> None:
    memo = PatternMemo(SETS["builtin"])
    assert memo.mask(message, shape_of(message)).endswith(("{ID}", "\x01"))

"""The time for a line grows with its length, whatever it holds."""

from __future__ import annotations

import time

import pytest

from log_aggregator import shape_of
from log_aggregator_patterns import Rule, RuleSet, Span, builtin_rules

RULES = RuleSet(builtin_rules())

UNITS = [
    "\"'",
    " \"'",
    "='",
    '="',
    "' ",
    "1.1,",
    "[1]",
    "a/",
    ": a, ",
    "eth0 ",
    "\\x0",
    "中1",
    "datetime(2000, 1",
    "A=",
]


def seconds(line: str) -> float:
    shape = shape_of(line)
    best = 9.0
    for _ in range(3):
        start = time.process_time()
        RULES.spans_of_shape(shape)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.serial
@pytest.mark.parametrize("unit", UNITS)
def test_a_line_that_is_four_times_as_long_takes_four_times_as_long(unit: str) -> None:
    line = unit * (16_384 // len(unit))
    assert seconds(line) < 8 * seconds(line[:4096]) + 0.001


def test_a_match_around_others_takes_their_place_and_one_across_a_border_does_not() -> None:
    rules = RuleSet(
        [
            Rule(name="B", regex=r"b+"),
            Rule(name="KEPT", regex=r"k", keep=True),
            Rule(name="AROUND", regex=r"<[^>]*>"),
            Rule(name="ACROSS", regex=r"a."),
        ]
    )
    assert rules.mask("bb <bbxb> <k> abb a1") == "{B} {AROUND} <k> a{B} {ACROSS}"
    assert rules.explain("k bb") == [Span("KEPT", 0, 1, "k"), Span("B", 2, 4, "{B}")]
    assert rules.spans("k bb") == [Span("B", 2, 4, "{B}")]


def test_of_a_group_named_value_only_that_is_taken() -> None:
    rules = RuleSet([Rule(name="AGE", regex=r"aged (?P<value>\d+)|none")])
    assert rules.mask("aged 44, none") == "aged {AGE}, none"

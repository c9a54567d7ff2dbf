"""Logs of the overflow pattern: counted once, told of for a while, with the source that makes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.tests.aggregation.test_accumulators import accumulators, partials_of
from log_aggregator import Record
from log_aggregator.aggregation.overflow import LATELY, OVERFLOW_PATTERN, Overflow

Make = Callable[..., Record]


def test_the_source_that_makes_most_is_named_with_a_rule() -> None:
    overflow = Overflow()
    overflow.note("cron", 90, [f"ran job-{name} twice" for name in ("abcd", "bcde", "cdef", "defg", "efgh")])
    overflow.note("cron", 90, [f"ran job-{name} twice" for name in ("hgfe", "gfed", "fedc", "edcb", "dcba")])
    overflow.note("shop", 20, ["sold"])
    complaint = overflow.complaint()
    assert complaint.startswith("200 logs of the last 10 minutes have the pattern {OVERFLOW}, because more patterns")
    assert "90% of them are of the source 'cron'" in complaint
    assert complaint.endswith("plugins.toml [plugins.patterns] rules = [{ name = 'NAME', regex = 'job\\-[a-z]{4}' }]")


@pytest.mark.parametrize(("after", "told"), [(LATELY / 2 - 1, True), (LATELY - 1, True), (LATELY, False)])
def test_it_is_told_of_for_ten_minutes(after: float, told: bool) -> None:
    now = 1000.0
    overflow = Overflow(lambda: now)
    assert overflow.complaint() == ""
    overflow.note("cron", 1, ["m"])
    now += after
    assert bool(overflow.complaint()) is told
    assert overflow.logs == 1


def test_sources_are_bounded() -> None:
    overflow = Overflow()
    for number in range(1000):
        overflow.note(f"s{number}", 1, ["m"])
    assert "90% of them are of the source '(other)'" in overflow.complaint()


def test_logs_that_a_stage_gave_up_are_counted_once_with_those_beyond_the_cap(record: Make) -> None:
    under_test = accumulators(max_groups=3)
    given_up = [record(f"m {number}", pattern=OVERFLOW_PATTERN, level=f"L{number}") for number in range(5)]
    under_test.add(partials_of(given_up))
    under_test.add(partials_of([record("m", pattern=f"p {number}") for number in range(7)]))
    assert under_test.overflow.logs == 12
    assert sum(one.count for one in under_test.take()) == 12

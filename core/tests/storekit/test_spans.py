"""What of a row lies within a span, and how much of a span is known."""

from __future__ import annotations

import pytest

from log_aggregator.storekit.spans import Counted, _part

SECOND = 1_000_000
MINUTE = 60 * SECOND
BUCKET = 1_000 * 300 * SECOND
DAY = 86_400 * SECOND


def logs(since: int, until: int, *, first: int = 0, last: int = 299, minutes: str | None = "[0,90,30]") -> float:
    """Of 120 logs those within a span; times are seconds of the row's bucket."""
    span = (BUCKET + since * SECOND, BUCKET + until * SECOND)
    return _part(span, 120, BUCKET + first * SECOND, BUCKET + last * SECOND, BUCKET, minutes)


@pytest.mark.parametrize(
    ("cut", "before"),
    [(60, 0), (75, 22.5), (90, 45), (119, 88.5), (120, 90), (130, 95), (180, 120)],
)
def test_a_minute_is_divided_where_a_span_begins_in_it(cut: int, before: float) -> None:
    assert logs(0, cut) == pytest.approx(before)
    assert logs(cut, 300) == pytest.approx(120 - before)


def test_a_minute_has_logs_only_between_the_first_and_the_last_of_the_row() -> None:
    assert logs(0, 100, first=90, last=140) == pytest.approx(30)
    assert logs(130, 300, first=90, last=140) == pytest.approx(15)
    assert logs(0, 90, first=90, last=140) == 0
    assert logs(60, 61, first=60, last=60, minutes="[0,120]") == 120


def test_a_row_without_minutes_is_divided_by_its_time() -> None:
    assert logs(0, 100, first=50, last=250, minutes=None) == pytest.approx(30)
    assert logs(0, 51, first=50, last=50, minutes=None) == 120


def test_a_span_ends_where_the_logs_may_still_be_on_their_way() -> None:
    assert Counted({}, 0, 10 * MINUTE).known((5 * MINUTE, 11 * MINUTE)) == (5 * MINUTE, 10 * MINUTE)
    assert Counted({}, 0, 10 * MINUTE).known((5 * MINUTE, 13 * MINUTE)) == (5 * MINUTE, 13 * MINUTE)
    assert Counted({}, 0, 10 * MINUTE).known((5 * MINUTE, 9 * MINUTE)) == (5 * MINUTE, 9 * MINUTE)
    assert Counted({}, 0, 4 * MINUTE).known((5 * MINUTE, 6 * MINUTE)) == (5 * MINUTE, 5 * MINUTE + SECOND)
    assert Counted({}, 0).known((0, DAY)) == (0, DAY)

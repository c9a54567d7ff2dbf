"""The previous bucket's count is right, or there is none."""

from __future__ import annotations

import pytest

from log_aggregator.sinks import Aggregate
from log_aggregator_analytics import trends
from log_aggregator_analytics.trends import Trend, Watch
from plugins.analytics.tests.made import BUCKET, aggregate, flush

STEP = 300
LONG_AGO = BUCKET - 10 * STEP


def watch(since: float = LONG_AGO) -> Watch:
    return Watch(STEP, since)


def deliver(watched: Watch, *aggregates: Aggregate) -> list[Trend | None]:
    look = watched.look(flush(*aggregates))
    watched.take(look)
    return look.trends


def test_counts_add_up_within_a_bucket_and_become_the_previous_of_the_next() -> None:
    watched = watch()
    assert deliver(watched, aggregate(count=5)) == [Trend(5, 0)]
    assert deliver(watched, aggregate(count=7)) == [Trend(12, 0)]
    assert deliver(watched, aggregate(count=1, bucket=BUCKET + STEP)) == [Trend(1, 12)]
    assert deliver(watched, aggregate(count=4, bucket=BUCKET + 3 * STEP)) == [Trend(4, 0)]


def test_two_buckets_in_one_flush_are_taken_in_their_order() -> None:
    assert deliver(watch(), aggregate(count=3, bucket=BUCKET + STEP), aggregate(count=9)) == [Trend(3, 9), Trend(9, 0)]


def test_a_late_log_counts_for_its_bucket_without_a_trend_of_its_own() -> None:
    watched = watch()
    deliver(watched, aggregate(count=3), aggregate(count=2, bucket=BUCKET + STEP))
    assert deliver(watched, aggregate(count=10)) == [None]
    assert deliver(watched, aggregate(count=1, bucket=BUCKET + STEP)) == [Trend(3, 13)]


def test_series_do_not_mix() -> None:
    watched = watch()
    deliver(watched, aggregate(count=3), aggregate(count=4, level="ERROR"), aggregate(count=5, source="shop"))
    later = BUCKET + STEP
    assert deliver(watched, aggregate(bucket=later), aggregate(bucket=later, level="ERROR")) == [
        Trend(2, 3),
        Trend(2, 4),
    ]


def test_nothing_is_said_of_a_bucket_that_was_not_watched_from_its_beginning() -> None:
    watched = watch(since=BUCKET + 1)
    assert deliver(watched, aggregate(bucket=BUCKET + STEP)) == [None]
    assert deliver(watched, aggregate(bucket=BUCKET + 2 * STEP)) == [Trend(2, 2)]


def test_a_flush_that_is_tried_again_counts_once() -> None:
    watched = watch()
    first = watched.look(flush(aggregate(count=5)))
    again = watched.look(flush(aggregate(count=5)))
    assert first.trends == again.trends == [Trend(5, 0)]


def test_after_lost_flushes_it_begins_anew() -> None:
    watched = watch()
    deliver(watched, aggregate(count=5))
    watched.forget(BUCKET + STEP / 2)
    assert deliver(watched, aggregate(bucket=BUCKET + STEP)) == [None]


def test_memory_is_bounded_and_what_was_forgotten_is_not_called_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trends, "MAX_SERIES", 100)
    watched = watch()
    for number in range(300):
        deliver(watched, aggregate(f"pattern {number}", bucket=BUCKET + (number // 60) * 2 * STEP))
    assert len(watched._states) <= 100
    deliver(watched, *(aggregate(f"flood {number}", count=9, bucket=BUCKET + 20 * STEP) for number in range(150)))
    assert not watched._states
    assert deliver(watched, aggregate("flood 1", bucket=BUCKET + 21 * STEP)) == [None]

"""A trend has the exact count of the previous bucket, or there is no trend."""

from __future__ import annotations

import pytest

from log_aggregator.sinks import Aggregate
from log_aggregator_analytics import trends
from log_aggregator_analytics.trends import Trend, TrendTracker
from plugins.analytics.tests.factories import BUCKET, aggregate, flush

STEP = 300
LONG_AGO = BUCKET - 10 * STEP


def new_tracker(since: float = LONG_AGO) -> TrendTracker:
    return TrendTracker(STEP, since)


def deliver(tracker: TrendTracker, *aggregates: Aggregate) -> list[Trend | None]:
    computed = tracker.compute(flush(*aggregates))
    tracker.commit(computed)
    return computed.trends


def test_counts_add_up_within_a_bucket_and_become_the_previous_of_the_next() -> None:
    tracker = new_tracker()
    assert deliver(tracker, aggregate(count=5)) == [Trend(5, 0)]
    assert deliver(tracker, aggregate(count=7)) == [Trend(12, 0)]
    assert deliver(tracker, aggregate(count=1, bucket=BUCKET + STEP)) == [Trend(1, 12)]
    assert deliver(tracker, aggregate(count=4, bucket=BUCKET + 3 * STEP)) == [Trend(4, 0)]


def test_buckets_of_one_flush_are_counted_in_time_order() -> None:
    assert deliver(new_tracker(), aggregate(count=3, bucket=BUCKET + STEP), aggregate(count=9)) == [
        Trend(3, 9),
        Trend(9, 0),
    ]


def test_a_late_log_counts_for_its_bucket_without_a_trend_of_its_own() -> None:
    tracker = new_tracker()
    deliver(tracker, aggregate(count=3), aggregate(count=2, bucket=BUCKET + STEP))
    assert deliver(tracker, aggregate(count=10)) == [None]
    assert deliver(tracker, aggregate(count=1, bucket=BUCKET + STEP)) == [Trend(3, 13)]


def test_series_do_not_mix() -> None:
    tracker = new_tracker()
    deliver(tracker, aggregate(count=3), aggregate(count=4, level="ERROR"), aggregate(count=5, source="shop"))
    later = BUCKET + STEP
    assert deliver(tracker, aggregate(bucket=later), aggregate(bucket=later, level="ERROR")) == [
        Trend(2, 3),
        Trend(2, 4),
    ]


def test_there_is_no_trend_when_the_previous_bucket_was_tracked_in_part() -> None:
    tracker = new_tracker(since=BUCKET + 1)
    assert deliver(tracker, aggregate(bucket=BUCKET + STEP)) == [None]
    assert deliver(tracker, aggregate(bucket=BUCKET + 2 * STEP)) == [Trend(2, 2)]


def test_a_retried_flush_counts_once() -> None:
    tracker = new_tracker()
    first = tracker.compute(flush(aggregate(count=5)))
    again = tracker.compute(flush(aggregate(count=5)))
    assert first.trends == again.trends == [Trend(5, 0)]


def test_lost_flushes_reset_the_counts() -> None:
    tracker = new_tracker()
    deliver(tracker, aggregate(count=5))
    tracker.reset(BUCKET + STEP / 2)
    assert deliver(tracker, aggregate(bucket=BUCKET + STEP)) == [None]


def test_memory_is_bounded_and_dropped_series_have_no_trend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trends, "MAX_SERIES", 100)
    tracker = new_tracker()
    for number in range(300):
        deliver(tracker, aggregate(f"pattern {number}", bucket=BUCKET + (number // 60) * 2 * STEP))
    assert len(tracker._states) <= 100
    deliver(tracker, *(aggregate(f"flood {number}", count=9, bucket=BUCKET + 20 * STEP) for number in range(150)))
    assert not tracker._states
    assert deliver(tracker, aggregate("flood 1", bucket=BUCKET + 21 * STEP)) == [None]

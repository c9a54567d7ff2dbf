"""Count, sum and quantiles of durations."""

from __future__ import annotations

import pytest

from log_aggregator.service.latency import Latency


def test_a_latency_has_count_sum_and_quantiles() -> None:
    latency = Latency()
    assert latency.stats() == {"count": 0, "sum_seconds": 0, "p50_ms": None, "p90_ms": None, "p99_ms": None}
    for seconds in (0.001, 0.002, 0.003):
        latency.note(seconds)
    stats = latency.stats()
    assert (stats["count"], stats["sum_seconds"]) == (3, 0.006)
    assert stats["p50_ms"] == pytest.approx(2, rel=0.03)


def test_quantiles_hold_for_more_distinct_durations_than_are_kept_one_by_one() -> None:
    latency = Latency()
    for number in range(5000):
        latency.note(number / 1000)
    stats = latency.stats()
    assert stats["count"] == 5000
    assert stats["p50_ms"] == pytest.approx(2500, rel=0.03)
    assert stats["p99_ms"] == pytest.approx(4950, rel=0.03)

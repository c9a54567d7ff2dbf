"""The explanation of an alert: window, expectation, count and probability."""

from __future__ import annotations

from dataclasses import dataclass

from log_aggregator_trends.detector.detector import Detector
from log_aggregator_trends.detector.spread import WINDOWS
from log_aggregator_trends.detector.state import MISSED_JOB


@dataclass(frozen=True, slots=True)
class Explanation:
    """`seen` events in the last `window` minutes, where `low` to `high` (about 99.7 %) were expected.

    `surprise` is -log10 of the probability of this per minute. `silent` is the number of minutes since the last
    event. `missed_run` marks a missed run of a daily job.
    """

    window: int
    seen: float
    expected: float
    low: float
    high: float
    surprise: float
    silent: int
    missed_run: bool = False


def explain(detector: Detector) -> Explanation:
    """Explain the detector's last score."""
    reason = detector.reason
    silent = detector.silence.minutes
    if reason == MISSED_JOB:
        size, scatter = detector.schedule.job_size, detector.schedule.size_variance**0.5
        low, high = max(0.0, size * (1.0 - 3.0 * scatter)), size * (1.0 + 3.0 * scatter)
        surprise = round(detector.alarm.peak, 1)
        return Explanation(1440, 0.0, round(size, 1), round(low, 1), round(high, 1), surprise, 0, missed_run=True)
    if reason < 0:
        window = max(silent, 60)
        seen = detector.sum60 if silent < 60 else 0.0
        expected = detector.mean60 if silent < 60 else max(detector.silence.expected, detector.mean60)
        index = 3
    else:
        index = max(reason, 1) - 1
        window = WINDOWS[index]
        seen, expected = seen_and_expected(detector, window)
    spread = detector.spread
    relative = spread.excess[index] + detector.level_variance
    deviation = (expected * (spread.dispersion[index] + relative * expected)) ** 0.5
    return Explanation(
        window,
        round(seen, 1),
        round(expected, 1),
        round(max(0.0, expected - 3.0 * deviation), 1),
        round(expected + 3.0 * deviation, 1),
        round(detector.alarm.peak, 1),
        silent,
    )


def seen_and_expected(detector: Detector, window: int) -> tuple[float, float]:
    """The count in the last `window` minutes and its expectation; windows over 60 minutes are whole hours."""
    if window == 1:
        return detector.recent[4 + detector.minute % 5], detector.mean
    if window == 5:
        return max(detector.sum5, detector.sum_raw), 5.0 * detector.mean
    if window == 15:
        return detector.sum15, detector.mean15
    if window == 60:
        return detector.sum60, detector.mean60
    places = [(detector.minute // 60 - back) % 24 for back in range(1, window // 60 + 1)]
    return sum(detector.hours[place] for place in places), sum(detector.hours[24 + place] for place in places)

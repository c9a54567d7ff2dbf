"""Why a detector alerts: which window, what was expected, what came, how sure."""

from __future__ import annotations

from dataclasses import dataclass

from log_aggregator_trends.detector.detector import Detector
from log_aggregator_trends.detector.spread import WINDOWS

_LONG = 5


@dataclass(frozen=True, slots=True)
class Why:
    """`seen` events in the last `window` minutes, where `low` to `high` (about 99.7 %) were expected.

    `surprise` is -log10 of the probability of this, a minute. `silent` is the length of a silence in
    minutes, 0 when something came in the last minute.
    """

    window: int
    seen: float
    expected: float
    low: float
    high: float
    surprise: float
    silent: int


def why(detector: Detector) -> Why:
    """Explain the detector's last score."""
    reason = detector.reason
    silent = detector.silence.minutes
    if reason < 0:
        window = max(silent, 60)
        seen = detector.sum60 if silent < 60 else 0.0
        expected = detector.mean60 if silent < 60 else max(detector.silence.expected, detector.mean60)
        index = 3
    elif reason >= _LONG:
        window, index = WINDOWS[_LONG], _LONG
        seen, expected = seen_and_expected(detector, window)
    else:
        index = max(reason, 1) - 1
        window = WINDOWS[index]
        seen, expected = seen_and_expected(detector, window)
    spread = detector.spread
    relative = spread.excess[index] + detector.level_variance
    deviation = (expected * (spread.dispersion[index] + relative * expected)) ** 0.5
    return Why(
        window,
        round(seen, 1),
        round(expected, 1),
        round(max(0.0, expected - 3.0 * deviation), 1),
        round(expected + 3.0 * deviation, 1),
        round(detector.alarm.peak, 1),
        silent,
    )


def seen_and_expected(detector: Detector, window: int) -> tuple[float, float]:
    """What came in the last `window` minutes (1, 5, 15, 60; longer ones: of the 24 hours), and what was expected."""
    if window == 1:
        return detector.recent[4 + detector.minute % 5], detector.mean
    if window == 5:
        return max(detector.sum5, detector.sum_raw), 5.0 * detector.mean
    if window == 15:
        return detector.sum15, detector.mean15
    if window == 60:
        return detector.sum60, detector.mean60
    return sum(detector.hours[:24]), sum(detector.hours[24:])

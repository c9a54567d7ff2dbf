"""The surprise of a run of minutes without events."""

from __future__ import annotations

from math import log

from log_aggregator_trends.detector.spread import WINDOWS, Spread
from log_aggregator_trends.detector.tail import LOG10_E

_RECORD_MARGIN = 1.3
_RECORD_KEEP_A_DAY = 0.97
_ALLOWANCE = 0.5


class Silence:
    """The current run of empty minutes: its length, and the number of events expected during it."""

    __slots__ = ("expected", "minutes", "missed", "record")

    def __init__(self) -> None:
        self.minutes = 0
        self.expected = 0.0
        self.missed = 0.0
        self.record = 0.0

    def end(self) -> None:
        """End the run."""
        if self.expected > self.record:
            # The record at most doubles, so that one outage does not hide the next.
            self.record = min(self.expected, 2.0 * self.record + 2.0)
        self.minutes = 0
        self.expected = 0.0
        self.missed = 0.0

    def forget_a_day(self) -> None:
        """Decay the record by one day."""
        self.record *= _RECORD_KEEP_A_DAY

    def surprise(self, spread: Spread, relative_variance: float) -> float:
        """-log10 of the probability of this empty run.

        It is a negative binomial's probability of zero, computed in two ways: from the longest measured window that
        fits into the run, extrapolated at its rate per minute (correct for independent minutes), and with the spread
        of the next longer window (correct when a low rate persists). In the first 15 minutes the smaller surprise
        counts, later the first one. It is reduced when this series had a similar run before, measured in expected
        events: a quiet night does not excuse a quiet noon.
        """
        minutes = self.minutes
        index = 0 if minutes < 5 else 1 if minutes < 15 else 2 if minutes < 60 else 3
        windows = minutes / WINDOWS[index]
        short = windows * _zero(self.expected / windows, spread, index, relative_variance)
        surprise = short if index > 1 else min(short, _zero(self.expected, spread, index + 1, relative_variance))
        # The uncertainty of the level is common to all windows, so it bounds the product of their probabilities.
        certain = LOG10_E * log(1.0 + self.expected * relative_variance) / relative_variance
        surprise = min(surprise, certain)
        bound = _RECORD_MARGIN * self.record
        if self.expected < bound:
            part = self.expected / bound
            surprise *= part * part
        return surprise + LOG10_E * self.missed + _ALLOWANCE


def _zero(mean: float, spread: Spread, index: int, relative_variance: float) -> float:
    """-log10 of the probability of no event in a window where `mean` are expected."""
    variance = spread.excess[index] + relative_variance
    return LOG10_E * log(1.0 + mean * variance) / variance / spread.dispersion[index]

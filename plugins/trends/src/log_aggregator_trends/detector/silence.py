"""How surprising it is that nothing has come for a while."""

from __future__ import annotations

from math import log

from log_aggregator_trends.detector.spread import WINDOWS, Spread
from log_aggregator_trends.detector.tail import LOG10_E

_RECORD_MARGIN = 1.3
_RECORD_KEEP_A_DAY = 0.97
_ALLOWANCE = 0.5


class Silence:
    """The current run of empty minutes, in minutes and in events that were expected meanwhile."""

    __slots__ = ("expected", "minutes", "missed", "record")

    def __init__(self) -> None:
        self.minutes = 0
        self.expected = 0.0
        self.missed = 0.0
        self.record = 0.0

    def end(self) -> None:
        """Something came."""
        if self.expected > self.record:
            # A real outage must not make the next one invisible: the record at most doubles.
            self.record = min(self.expected, 2.0 * self.record + 2.0)
        self.minutes = 0
        self.expected = 0.0
        self.missed = 0.0

    def forget_a_day(self) -> None:
        """Old records fade."""
        self.record *= _RECORD_KEEP_A_DAY

    def surprise(self, spread: Spread, relative_variance: float) -> float:
        """-log10 of the probability of this empty run.

        The negative binomial's probability of zero, twice: at the longest measured window that fits into the run,
        continued at its rate per minute (right for independent minutes), and with the spread of the next
        longer window (right when a low rate lasts); the less surprising one counts, up to 15
        minutes. Discounted when this series was nearly as silent before (in expected events, so a quiet night does not
        excuse a quiet noon).
        """
        minutes = self.minutes
        index = 0 if minutes < 5 else 1 if minutes < 15 else 2 if minutes < 60 else 3
        windows = minutes / WINDOWS[index]
        short = windows * _zero(self.expected / windows, spread, index, relative_variance)
        surprise = short if index > 1 else min(short, _zero(self.expected, spread, index + 1, relative_variance))
        # What is not known of the level is the same unknown in all windows.
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

"""The current rate of events per minute: a discounted gamma filter that can be re-based."""

from __future__ import annotations

from log_aggregator_trends.detector.tail import decay

_BLOCK = 15.0
"""Minutes between two updates."""

_PRIOR_EVENTS = 0.5
"""Jeffreys' prior of a Poisson rate: an hour without events does not make the rate zero."""

_SMALLEST_RATE = 1e-4
"""Keeps ratios defined for a series of zeros."""


class Level:
    """Rate per minute at a seasonal factor of 1.

    The conjugate gamma filter with discounting for counts (Harvey & Fernandes 1989, "Time series models
    for count or qualitative observations"): `events` and `exposure` are both discounted, their ratio is the rate,
    and 1/events is the rate's relative variance under Poisson counts.
    """

    __slots__ = ("events", "exposure", "learned", "rate")

    def __init__(self) -> None:
        self.events = 0.0
        self.exposure = 0.0
        self.rate = 0.0
        self.learned = 0.0

    def add(self, events: float, exposure: float, time_constant: float, weight: float = 1.0) -> None:
        """Add one block: `events` seen over `exposure` factor-minutes; the memory is `time_constant` minutes.

        Until `time_constant` minutes have been learned, all of them weigh the same, so the gain starts as 1/n.
        """
        self.learned += _BLOCK
        # Bound the memory by the time learned, so that the level adapts quickly after a re-base.
        keep = decay(_BLOCK, min(time_constant, self.learned + 120.0))
        keep = 1.0 - weight * (1.0 - keep)
        self.events = keep * self.events + weight * events
        self.exposure = keep * self.exposure + weight * exposure
        if self.exposure > 0.0:
            self.rate = max((self.events + _PRIOR_EVENTS) / self.exposure, _SMALLEST_RATE)

    def relative_variance(self, dispersion: float) -> float:
        """Squared relative uncertainty of the rate; `dispersion` is variance/mean of hourly sums."""
        # The effective sample is between `events` (equal weights, young) and twice that (exponential weights, old).
        return dispersion / (1.5 * self.events + 0.5)

    def rebase(self, rate: float, weight: float) -> None:
        """Replace the rate by `rate`, with the certainty of `weight` minutes of exposure."""
        self.rate = rate
        self.exposure = weight
        self.events = rate * weight
        self.learned = 60.0

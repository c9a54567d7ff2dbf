"""How many events a minute this series has now: a discounted gamma level that can be re-based."""

from __future__ import annotations

from log_aggregator_trends.detector.tail import decay

_BLOCK = 15.0
"""Minutes between two updates."""

_PRIOR_EVENTS = 0.5
"""Jeffreys' prior of a Poisson rate: an hour without events does not mean that there never is one."""

_SMALLEST_RATE = 1e-4
"""Keeps every ratio defined for a series of zeros."""


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
        """Take one block: `events` seen over `exposure` factor-minutes; memory is `time_constant` minutes.

        Until the level has been learned for that long the memory is all there is, so the gain is 1/n at first.
        """
        self.learned += _BLOCK
        # Memory never exceeds what was learned by much: after a re-base the level moves quickly again.
        keep = decay(_BLOCK, min(time_constant, self.learned + 120.0))
        keep = 1.0 - weight * (1.0 - keep)
        self.events = keep * self.events + weight * events
        self.exposure = keep * self.exposure + weight * exposure
        if self.exposure > 0.0:
            self.rate = max((self.events + _PRIOR_EVENTS) / self.exposure, _SMALLEST_RATE)

    def relative_variance(self, dispersion: float) -> float:
        """Squared relative uncertainty of the rate; `dispersion` is variance/mean of hourly sums."""
        # Between one memory's events (flat weights, while young) and two (exponential weights, when old).
        return dispersion / (1.5 * self.events + 0.5)

    def rebase(self, rate: float, weight: float) -> None:
        """Forget the past: the rate is now `rate`, known as well as `weight` minutes of exposure would tell."""
        self.rate = rate
        self.exposure = weight
        self.events = rate * weight
        self.learned = 60.0

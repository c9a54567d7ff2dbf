"""When a surprise becomes an alert, and when an alert that is known already is not repeated."""

from __future__ import annotations

_HOLD = 360
"""Minutes after an alert in which a repetition must be clearly stronger."""

_CONTINUES = 20
"""An alert interrupted for less than this is still the same."""

_STRONGER = 4.0
_PER_ALARM = 0.8
"""How much more surprising an alert must be for each other one of about the last week."""
_NOISE_KEPT_A_DAY = 0.9


class Alarm:
    """Hysteresis over the surprise of one series."""

    __slots__ = ("direction", "last", "noise", "opened", "peak")

    def __init__(self) -> None:
        self.opened = -1
        self.last = -10_000
        self.peak = 0.0
        self.direction = 0
        self.noise = 0.0

    def filter(self, minute: int, surprise: float, direction: int, level: float) -> float:
        """Surprise to report at `minute`; `level` is the surprise from which on it is an alert."""
        if self.noise > 1.5:
            surprise /= 1.0 + _PER_ALARM * (self.noise - 1.0)
        if surprise < level:
            return surprise
        since = minute - self.last
        if since > _CONTINUES:
            if since <= _HOLD and surprise < min(self.peak, level + 10.0) + _STRONGER and direction == self.direction:
                return level * 0.99
            self.opened = minute
            self.noise += 1.0
            self.peak = 0.0
            self.direction = direction
        self.last = minute
        self.peak = max(self.peak, surprise)
        return surprise

    def end_of_day(self, *, learned: bool) -> None:
        """Old alerts count less; those before the usual course of a day was `learned` count nothing."""
        self.noise *= _NOISE_KEPT_A_DAY if learned else 0.0

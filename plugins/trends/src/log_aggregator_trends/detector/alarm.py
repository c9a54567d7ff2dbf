"""When a surprise becomes an alert, and when an alert that is known already is not repeated."""

from __future__ import annotations

from array import array
from math import exp, log

_HOLD = 360
"""Minutes after an alert in which a repetition must be clearly stronger."""

_CONTINUES = 20
"""An alert interrupted for less than this is still the same."""

_STRONGER = 4.0

_ALARMS_A_DAY = 0.03
"""How often a series may exceed what is asked of it, once it has shown how wild it is."""

_KEPT_A_DAY = 0.9
_KEPT_UNLEARNED = 0.3
_LONGEST_MEMORY = 10.0
"""Days; what is kept of each day adds up to as much."""
_SHORTEST_MEMORY = 3.0

_HEIGHTS, _PEAK, _LAST, _SIDE = 1, 2, 3, 4
"""Places in `Alarm.episodes`."""

_PRIOR_EPISODES = 2.0
_PRIOR_SHAPE = 0.7


class Alarm:
    """What this series' own surprises were like so far, and hysteresis over those that are alerts.

    A surprise supposes that the model of the series is right. For a series of bursts at random it is not, and its
    surprises are large again and again. So the episodes above the level are themselves counted, with the mean
    logarithm of their peaks: peaks over a threshold have a Pareto tail (Hill 1975, "A simple general approach to
    inference about the tail of a distribution"; as in SPOT, Siffer et al. 2017, "Anomaly detection in streams with
    extreme value theory"), and that tail says how large a surprise must be to be as rare as wanted.
    """

    __slots__ = ("direction", "episodes", "last", "opened", "peak")

    def __init__(self) -> None:
        self.opened = -1
        self.last = -10_000
        self.peak = 0.0
        self.direction = 0
        # Up, then down: the number of episodes, the sum of the logarithms of their peaks over the level, this logarithm
        # of the last episode, and the last minute above the level.
        self.episodes = array("d", [0.0, 0.0, 0.0, -10_000.0] * 2)

    @property
    def noise(self) -> float:
        """Episodes of the last days, up and down together."""
        return self.episodes[0] + self.episodes[_SIDE]

    def calibrate(self, minute: int, surprise: float, direction: int, level: float, days: float) -> float:
        """Measure `surprise` by the earlier ones of the same direction; `days` is the age of the series."""
        episodes = self.episodes
        at = 0 if direction > 0 else _SIDE
        if surprise >= level:
            if minute - episodes[at + _LAST] > _CONTINUES:
                episodes[at] += 1.0
                episodes[at + _PEAK] = 0.0
            higher = log(surprise / level) - episodes[at + _PEAK]
            if higher > 0.0:
                episodes[at + _HEIGHTS] += higher
                episodes[at + _PEAK] += higher
            episodes[at + _LAST] = minute
        elif not episodes[at]:
            return surprise
        others, heights = episodes[at], episodes[at + _HEIGHTS]
        if minute - episodes[at + _LAST] <= _CONTINUES:
            others -= 1.0
            heights -= episodes[at + _PEAK]
        excess = others / (_ALARMS_A_DAY * min(max(days, _SHORTEST_MEMORY), _LONGEST_MEMORY))
        if excess <= 1.0:
            return surprise
        shape = (max(heights, 0.0) + _PRIOR_SHAPE * _PRIOR_EPISODES) / (others + _PRIOR_EPISODES)
        return surprise * exp(-shape * log(excess))

    def filter(self, minute: int, surprise: float, direction: int, level: float) -> float:
        """Surprise to report at `minute`; `level` is the surprise from which on it is an alert."""
        if surprise < level:
            return surprise
        since = minute - self.last
        if since > _CONTINUES:
            if since <= _HOLD and surprise < min(self.peak, level + 10.0) + _STRONGER and direction == self.direction:
                return level * 0.99
            self.opened = minute
            self.peak = 0.0
            self.direction = direction
        self.last = minute
        self.peak = max(self.peak, surprise)
        return surprise

    def end_of_day(self, *, learned: bool) -> None:
        """Old episodes count less; those before the usual course of a day was `learned` count little."""
        kept = _KEPT_A_DAY if learned else _KEPT_UNLEARNED
        for place in (0, _HEIGHTS, _SIDE, _SIDE + _HEIGHTS):
            self.episodes[place] *= kept

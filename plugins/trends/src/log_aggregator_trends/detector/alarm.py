"""Turns surprises into alerts: calibration by the series' own peaks, and hysteresis against repeated alerts."""

from __future__ import annotations

from array import array
from math import exp, log

_HOLD = 360
"""Minutes after an alert during which only a clearly stronger surprise alerts again."""

_CONTINUES = 20
"""Minutes below the level that end an episode or an alert."""

_STRONGER = 4.0

_ALARMS_A_DAY = 0.03
"""Target rate of episodes above the level, once the series has had enough of them to estimate their tail."""

_KEPT_A_DAY = 0.9
_KEPT_UNLEARNED = 0.3
_LONGEST_MEMORY = 10.0
"""Days: the limit of the sum of the daily weights."""
_SHORTEST_MEMORY = 3.0

_HEIGHTS, _PEAK, _LAST, _SIDE = 1, 2, 3, 4
"""Offsets in `Alarm.episodes`."""

_PRIOR_EPISODES = 2.0
_PRIOR_SHAPE = 0.7


class Alarm:
    """The distribution of this series' earlier surprises, and hysteresis over its alerts.

    A surprise is a probability under the model of the series. A series of random bursts violates the model, so its
    surprises are large repeatedly. The alarm therefore counts the episodes above the level and keeps the mean
    logarithm of their peaks: peaks over a threshold have a Pareto tail (Hill 1975, "A simple general approach to
    inference about the tail of a distribution"; as in SPOT, Siffer et al. 2017, "Anomaly detection in streams with
    extreme value theory"). The tail gives the surprise that is exceeded at the target rate.
    """

    __slots__ = ("direction", "episodes", "last", "opened", "peak")

    def __init__(self) -> None:
        self.opened = -1
        self.last = -10_000
        self.peak = 0.0
        self.direction = 0
        # For up, then for down: the number of episodes, the sum of log(peak / level) over them, log(peak / level) of
        # the last episode, and the last minute above the level.
        self.episodes = array("d", [0.0, 0.0, 0.0, -10_000.0] * 2)

    @property
    def noise(self) -> float:
        """The decayed number of recent episodes in both directions."""
        return self.episodes[0] + self.episodes[_SIDE]

    def calibrate(self, minute: int, surprise: float, direction: int, level: float, days: float) -> float:
        """Reduce `surprise` when this series exceeds `level` in this direction more often than the target rate.

        `days` is the age of the series. Counts the episode to which `surprise` belongs.
        """
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
        """The surprise to report at `minute`: below `level` when hysteresis suppresses a repeated alert."""
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
        """Decay the episode counts, faster while the daily profile is not `learned`."""
        kept = _KEPT_A_DAY if learned else _KEPT_UNLEARNED
        for place in (0, _HEIGHTS, _SIDE, _SIDE + _HEIGHTS):
            self.episodes[place] *= kept

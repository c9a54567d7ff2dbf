"""Everything that is remembered of one series, in one place: what a detector's other rooms share."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from log_aggregator_trends.detector.alarm import Alarm
from log_aggregator_trends.detector.level import Level
from log_aggregator_trends.detector.schedule import Schedule
from log_aggregator_trends.detector.season import Season
from log_aggregator_trends.detector.silence import Silence
from log_aggregator_trends.detector.spread import Spread

RECORDED = 6.0
"""Surprise (-log10 of a probability, a minute) from which on something is recorded."""

NOTIFY = 8.0
"""Surprise from which on a person is told."""

FULL_SCALE = 18.0
"""Surprise that is a score of 1."""

ALLOWANCE = (0.0, 0.3, 0.7, 1.2, 1.7, 2.0)
"""Added to the surprise of each window length: overlapping windows make fewer independent tests than minutes do."""


MISSED_JOB = -2
"""The `reason` of an alert that a daily job has not come."""

UP, UP_HOUR, DOWN, DOWN_HOUR = 19, 20, 21, 22
"""Places in `State.recent`: by how much the expectation of short windows, and of an hour, may be too small, or too
large."""


def learnable(variance: float, noise: float) -> float:
    """Largest error that is learned from: four standard deviations, and never less than a couple of events.

    A series that alarms again and again (`noise` alarms of late) is wilder than was thought: learn more of it.
    """
    width = 4.0 if noise < 1.5 else 4.0 * (noise - 0.5)
    return float(2.0 + width * variance**0.5)


class State:
    """The attributes. Slots are declared by the one class that is instantiated."""

    if not TYPE_CHECKING:
        __slots__ = ()  # the one class that is instantiated declares them

    level: Level
    season: Season
    spread: Spread
    schedule: Schedule
    silence: Silence
    alarm: Alarm

    minute: int  # the last minute seen, since the epoch
    age: int  # minutes seen in all
    mean: float  # expected count of a minute, constant for 15
    mean15: float  # expected sums over the last 15 and 60 minutes
    mean60: float
    sum5: float  # sums over the last minutes, without bursts by the clock
    sum15: float
    sum60: float
    sum_raw: float  # over 5 minutes, with them
    ring: array[float]  # the last 60 counts without bursts by the clock, by minute of the hour
    # Expected counts of the last four blocks, the last five counts, how much more and how much less than expected
    # the course of the day may mean in each of the last five blocks, and what follows for short windows and an hour.
    recent: array[float]
    hours: array[float]  # sums of the 24 hours of the day, then what was expected of them
    day_total: float  # today's clipped count
    whole_day: bool  # no minute of today is missing
    level_variance: float  # relative variance of the expectation itself
    clip1: float  # a minute further than this from its mean is an outlier
    squares1: float  # squared errors of 1- and 5-minute sums in this block
    squares5: float
    block_peak: float  # largest surprise in this block
    weight: float  # how much this block teaches
    long_surprise: float  # of the 6- and 24-hour sums, until the next hour
    long_reason: int  # which of the two: 5 or 6
    saved_rate: float  # the level before the last adopted one
    saved_until: int
    above: int  # minutes of alert in this alert
    missed_job: float  # surprise that the daily job has not come, in the first minute of a block
    reason_now: int  # the same for this minute
    reason: int  # which window alerts: 1 is the shortest, -1 is too little, MISSED_JOB

    def __init__(self) -> None:
        self.level = Level()
        self.season = Season()
        self.spread = Spread()
        self.schedule = Schedule()
        self.silence = Silence()
        self.alarm = Alarm()
        self.minute = -1
        self.age = 0
        self.mean = 0.0
        self.mean15 = self.mean60 = 0.0
        self.sum5 = self.sum15 = self.sum60 = self.sum_raw = 0.0
        self.ring = array("f", [0.0] * 60)
        self.recent = array("f", [0.0] * 9 + [1.0] * 14)
        self.block_peak = 0.0
        self.hours = array("f", [0.0] * 48)
        self.day_total = 0.0
        self.whole_day = True
        self.level_variance = 1.0
        self.clip1 = 1e9
        self.squares1 = self.squares5 = 0.0
        self.long_surprise = 0.0
        self.long_reason = 5
        self.saved_rate = 0.0
        self.saved_until = 0
        self.reason = self.reason_now = 0
        self.above = 0
        self.missed_job = 0.0
        self.weight = 1.0

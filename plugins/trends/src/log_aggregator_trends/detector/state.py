"""The state of one series' detector, and the constants that its modules share."""

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
"""Surprise (-log10 of a probability per minute) from which an alert has the tier `recorded`."""

NOTIFY = 8.0
"""Surprise from which an alert has the tier `notify`."""

FULL_SCALE = 18.0
"""Surprise that gives a score of 1."""

ALLOWANCE = (0.0, 0.3, 0.7, 1.2, 1.7, 2.0)
"""Added to the surprise of each window length: overlapping windows are fewer independent tests than minutes."""


MISSED_JOB = -2
"""The `reason` of an alert for a missed run of a daily job."""

UP, UP_HOUR, DOWN, DOWN_HOUR = 19, 20, 21, 22
"""Offsets in `State.recent`: the largest and smallest plausible multiple of the expectation, for short windows and for
an hour."""


def learnable(variance: float, noise: float) -> float:
    """The error at which learning clips: four standard deviations plus two events.

    The limit grows with `noise`, the number of recent alarms: a series that alarms repeatedly varies more than
    estimated.
    """
    width = 4.0 if noise < 1.5 else 4.0 * (noise - 0.5)
    return float(2.0 + width * variance**0.5)


class State:
    """The detector's attributes. `Detector`, the only instantiated subclass, declares their slots."""

    if not TYPE_CHECKING:
        __slots__ = ()  # declared by Detector

    level: Level
    season: Season
    spread: Spread
    schedule: Schedule
    silence: Silence
    alarm: Alarm

    minute: int  # the last minute seen, since the epoch
    age: int  # number of minutes seen
    mean: float  # expected count per minute, constant within a 15-minute block
    mean15: float  # expected sums over the last 15 and 60 minutes
    mean60: float
    sum5: float  # sums over the last minutes, without scheduled bursts
    sum15: float
    sum60: float
    sum_raw: float  # over 5 minutes, with scheduled bursts
    ring: array[float]  # the last 60 counts without scheduled bursts, by minute of the hour
    # Expected counts per minute of the last four blocks, the last five counts, `Season.bounds` (upper, then lower) of
    # the last five blocks, and the bounds for short windows and for an hour at UP, UP_HOUR, DOWN, DOWN_HOUR.
    recent: array[float]
    hours: array[float]  # sums of the last 24 hours by hour of the day, then their expectation
    day_total: float  # today's clipped count
    whole_day: bool  # no minute of today is missing
    level_variance: float  # relative variance of the expectation itself
    clip1: float  # a minute further than this from its mean is an outlier
    squares1: float  # squared errors of 1- and 5-minute sums in this block
    squares5: float
    block_peak: float  # largest surprise in this block
    weight: float  # weight of this block in learning
    long_surprise: float  # of the 6- and 24-hour sums, until the next hour
    long_reason: int  # the window of long_surprise: 5 or 6
    saved_rate: float  # the rate before the last re-base of the level, 0 when there is none
    saved_until: int  # the minute until which saved_rate can be restored
    above: int  # minutes above the threshold in the current alert
    missed_job: float  # surprise of a missed daily job, in the first minute of a block
    reason_now: int  # the window with the largest surprise up in this minute
    reason: int  # the window of the alert: 1 is the shortest; -1 for low counts, or MISSED_JOB

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

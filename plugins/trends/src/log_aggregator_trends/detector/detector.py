"""The streaming detector of one series: takes one count per minute and returns its anomaly score."""

from __future__ import annotations

from log_aggregator_trends.detector.blocks import Blocks
from log_aggregator_trends.detector.schedule import MISSED_AFTER
from log_aggregator_trends.detector.state import (
    ALLOWANCE,
    DOWN,
    DOWN_HOUR,
    FULL_SCALE,
    MISSED_JOB,
    NOTIFY,
    RECORDED,
    UP,
    UP_HOUR,
    learnable,
)
from log_aggregator_trends.detector.tail import lower_tail, upper_tail

_BURST_ALLOWANCE = 1.5
_GATE = 9.0
"""Squared standardized error up to which a window's tail probability is not computed."""

_BURST = 5.0
"""Surprise above which a minute is a burst, which may be scheduled."""

_DROP_DELAY = 15
"""Minutes of low counts, after a re-base of the level, before a drop alerts: the old level may be back."""

_DROP = 0.4
"""Share of the expectation below which a window can be a drop."""


class Detector(Blocks):
    """Scores the counts of one series.

    It compares windows of 1, 5, 15, 60, 360 and 1440 minutes with their expectation from level, hour, weekday and
    schedule; the score is the largest surprise among them. Copies (`copy.deepcopy`, `pickle`) are independent.
    """

    threshold = RECORDED / FULL_SCALE
    notify_threshold = NOTIFY / FULL_SCALE

    __slots__ = (
        "above",
        "age",
        "alarm",
        "block_peak",
        "clip1",
        "day_total",
        "hours",
        "level",
        "level_variance",
        "long_reason",
        "long_surprise",
        "mean",
        "mean15",
        "mean60",
        "minute",
        "missed_job",
        "reason",
        "reason_now",
        "recent",
        "ring",
        "saved_rate",
        "saved_until",
        "schedule",
        "season",
        "silence",
        "spread",
        "squares1",
        "squares5",
        "sum5",
        "sum15",
        "sum60",
        "sum_raw",
        "weight",
        "whole_day",
    )

    def update(self, timestamp: float, count: float) -> float:
        """Score the count of the minute that starts at `timestamp` (epoch seconds): 0 to 1.

        Call it for minutes without events too, with 0. A skipped minute counts as unknown. A minute that is not
        later than the last one is ignored, with score 0.
        """
        minute = int(timestamp // 60)
        if minute != self.minute + 1:
            if minute <= self.minute:
                return 0.0
            self._resume(minute)
        self.minute = minute
        if minute % 15 == 0:
            self._end_block(minute)
        self.age += 1
        recent = self.recent
        self.sum_raw += count - recent[4 + minute % 5]
        recent[4 + minute % 5] = count

        self.reason_now = 0
        used, high = self._one_minute(minute, count)
        if self.schedule.start >= 0:
            self.schedule.end_if_quiet(minute)
        high, low = self._windows(minute, used, high)
        if self.missed_job:
            low = max(low, self.missed_job)
        silence = self.silence
        if count > 0:
            if silence.minutes:
                silence.end()
        else:
            low = max(low, self._silent(minute))
        if self.long_surprise > high:
            high = self.long_surprise
            self.reason_now = self.long_reason
        score = self._judge(minute, high, low)
        self.missed_job = 0.0
        return score

    def _one_minute(self, minute: int, count: float) -> tuple[float, float]:
        """The count for the longer windows, without a scheduled burst, and the surprise of the minute."""
        mean = self.mean
        difference = count - mean
        limit = self.clip1
        schedule = self.schedule
        used, surprise = count, 0.0
        if difference > limit:
            spread = self.spread
            surprise = upper_tail(
                count,
                mean * max(self._lift(0), self.recent[UP]),
                spread.excess[0] + self.level_variance,
                spread.dispersion[0],
            )
            self.reason_now = 1
            known = schedule.hourly[60 + minute % 60] > 1 or schedule.daily[minute % 1440 // 5] > 0
            if known or surprise > _BURST:
                used, surprise = self._burst(minute, count, surprise)
            difference = 0.0 if known else limit
        elif schedule.explained and difference > 0.0:
            used = mean
            difference = 0.0
        elif difference < -limit:
            difference = -limit
        self.squares1 += difference * difference
        return used, surprise

    def _windows(self, minute: int, used: float, high: float) -> tuple[float, float]:
        """Advance the sums over 5, 15 and 60 minutes; returns the largest surprise up, at least `high`, and down."""
        at = minute % 60
        ring = self.ring
        recent = self.recent
        mean = self.mean
        self.sum5 += used - ring[at - 5]
        self.sum15 += used - ring[at - 15]
        self.sum60 += used - ring[at]
        ring[at] = used
        self.mean15 += mean - recent[0]
        self.mean60 += mean - recent[3]
        place = minute % 15
        mean5 = 5.0 * mean if place > 3 else (place + 1) * mean + (4 - place) * recent[0]
        low = 0.0
        variance = self.level_variance
        excess = self.spread.excess
        dispersion = self.spread.dispersion
        windows = ((self.sum5, mean5), (self.sum15, self.mean15), (self.sum60, self.mean60))
        for index, (total, expected) in enumerate(windows, 1):
            difference = total - expected
            relative = excess[index] + variance
            squared = expected * (dispersion[index] + relative * expected)
            if difference * difference > _GATE * squared:
                if difference > 0.0:
                    usual = expected * (max(self._lift(index), recent[UP]) if index < 3 else recent[UP_HOUR])
                    found = upper_tail(total, usual, relative, dispersion[index]) + ALLOWANCE[index]
                    if found > high:
                        high = found
                        self.reason_now = 1 + index
                else:
                    usual = expected * recent[DOWN if index < 3 else DOWN_HOUR]
                    if total < _DROP * usual:
                        low = max(low, lower_tail(max(total, 0.0), usual, relative, dispersion[index]))
            if index == 1 and minute % 5 == 4:
                limit = learnable(squared, self.alarm.noise)
                self.squares5 += min(difference * difference, limit * limit)
        return high, low

    def _silent(self, minute: int) -> float:
        """Count a minute without events; returns the surprise of the silence so far."""
        silence = self.silence
        silence.minutes += 1
        silence.expected += self.mean * self.recent[DOWN]
        if self.schedule.hourly[(minute - MISSED_AFTER) % 60]:
            silence.missed += self.schedule.missed(minute)
        if silence.expected > 2.0 or silence.missed > 0.0:
            return silence.surprise(self.spread, self.level_variance)
        return 0.0

    def _lift(self, index: int) -> float:
        """Factor on a short window's expectation when the current hour is above its mean.

        The part of a short window's variance that remains over an hour varies slowly, so it carries over. Shrinkage
        (best linear prediction) estimates how much of the hour's surplus is not chance.
        """
        excess = self.spread.excess
        total, mean = self.sum60, self.mean60
        if total <= mean or mean <= 0.0 or excess[index] <= 0.0:
            return 1.0
        slow = min(1.0, excess[3] / excess[index])
        real = excess[3] * mean / (1.0 + excess[3] * mean)
        return 1.0 + slow * real * (min(total / mean, 3.0) - 1.0)

    def _burst(self, minute: int, count: float, one: float) -> tuple[float, float]:
        """The count of a burst's minute for the longer windows, and the surprise of the burst."""
        schedule = self.schedule
        mean = self.mean
        excess = max(self.sum_raw - 5.0 * mean, count - mean)
        size = schedule.expected(minute, excess)
        if self.saved_rate > 0.0 and minute < self.saved_until:
            # The level changed less than a day ago: scheduled bursts may have grown with it.
            size *= max(1.0, self.level.rate / self.saved_rate)
        schedule.burst(minute, excess, size)
        if size > 0.0:
            surprise = upper_tail(excess, size, schedule.size_variance, 1.0)
            if surprise > 0.0:
                surprise += _BURST_ALLOWANCE
            schedule.explained = surprise < one
            if schedule.explained:
                return mean, surprise
        elif self.age < 1440 and minute - schedule.start < 10:
            # On the first day, any burst may be a daily job.
            return mean, 0.0
        return count, one

    def _judge(self, minute: int, high: float, low: float) -> float:
        if self.age < 60:
            return 0.0
        self.block_peak = max(self.block_peak, high)
        direction = 1
        if low > high:
            high = low
            direction = -1
        high = self.alarm.calibrate(minute, high, direction, RECORDED, self.age / 1440.0)
        if high >= RECORDED:
            self.above += 1
            if direction < 0 and self.saved_rate > 0.0 and (self._back_to_normal(minute) or self.above < _DROP_DELAY):
                return 0.0
            self.reason = self.reason_now if direction > 0 else MISSED_JOB if self.missed_job else -1
        elif self.above:
            self.above = max(0, self.above - 2)
        high = self.alarm.filter(minute, high, direction, RECORDED)
        return high / FULL_SCALE if high < FULL_SCALE else 1.0


class NotifyTier(Detector):
    """The detector with the threshold of the tier `notify`, to evaluate that tier."""

    __slots__ = ()
    threshold = Detector.notify_threshold

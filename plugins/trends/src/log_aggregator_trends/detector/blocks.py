"""The detector's updates every 15 minutes, every hour and every day: learning, and the next expectation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from log_aggregator_trends.detector.schedule import SURE_OF_JOB
from log_aggregator_trends.detector.state import ALLOWANCE, DOWN, DOWN_HOUR, FULL_SCALE, UP, UP_HOUR, State, learnable
from log_aggregator_trends.detector.tail import decay, upper_tail

_MISSED_SURPRISE = 6.5
_SURPRISE_PER_RUN = 0.3
"""Surprise of a missed daily job: after `SURE_OF_JOB` runs in a row, and what each further run adds."""
_ANOMALOUS = 3.5
_ANOMALOUS_WEIGHT = 0.1


class Blocks(State):
    """The part of a detector that runs once per 15-minute block."""

    if not TYPE_CHECKING:
        __slots__ = ()  # the one class that is instantiated declares them

    def _end_block(self, minute: int) -> None:
        ring = self.ring
        spread = self.spread
        at = minute % 60
        # Learn little from a block that looks anomalous.
        weight = (
            _ANOMALOUS_WEIGHT
            if self.block_peak > _ANOMALOUS and self.level.learned > 1440.0 and self.alarm.noise < 2.5
            else 1.0
        )
        self.block_peak = 0.0
        self.weight = weight
        if self.age >= 15:
            total = 0.0
            for back in range(1, 16):
                total += ring[at - back]
            mean = self.mean
            if mean > 0.0:
                if not self.season.days or self.recent[UP] == 1.0 == self.recent[DOWN]:
                    spread.add(0, self.squares1 / 15.0, mean, mean * mean, 15.0 * weight)
                    spread.add(1, self.squares5 / 3.0, 5.0 * mean, 25.0 * mean * mean, 3.0 * weight)
                    self._add_spread(2, total, 15.0 * mean)
                if at == 0 and (not self.season.days or self.recent[UP_HOUR] == 1.0 == self.recent[DOWN_HOUR]):
                    self._add_spread(3, self.sum60, self.mean60)
            if self.age < 30:
                total = self._without_bursts(minute)
            self._learn(minute, total)
            self.sum5 = sum(ring[at - back] for back in range(1, 6))
            self.sum15 = total
            self.sum60 = sum(ring)
            self.sum_raw = sum(self.recent[4:9])
            hour = ((minute - 1) // 60) % 24
            if at == 15:
                self.hours[hour] = self.hours[24 + hour] = 0.0
            self.hours[hour] += total
            self.hours[24 + hour] += 15.0 * mean * self.recent[UP]
            if at == 0:
                self._end_hour(minute)
                if minute % 1440 == 0:
                    self._end_day(minute)
        self.squares1 = self.squares5 = 0.0
        runs = self.schedule.missed_job(minute, self.sum60 - 60.0 * self.level.rate)
        self.missed_job = (
            min(_MISSED_SURPRISE + _SURPRISE_PER_RUN * (runs - SURE_OF_JOB), FULL_SCALE) if runs >= SURE_OF_JOB else 0.0
        )
        self._prepare(minute)

    def _without_bursts(self, minute: int) -> float:
        """Sum of the very first block without bursts: a scheduled job or a start must not set the first level."""
        ring = self.ring
        counts = sorted(ring[minute % 60 - back] for back in range(1, 16))
        usual = sum(counts[:12]) / 12.0
        limit = 10.0 * usual + 5.0
        for back in range(1, 16):
            if ring[minute % 60 - back] > limit:
                ring[minute % 60 - back] = usual
        return sum(ring[minute % 60 - back] for back in range(1, 16))

    def _add_spread(self, index: int, total: float, expected: float) -> None:
        spread = self.spread
        difference = total - expected
        relative = spread.excess[index] + self.level_variance
        limit = learnable(expected * (spread.dispersion[index] + relative * expected), self.alarm.noise)
        spread.add(index, min(difference * difference, limit * limit), expected, expected * expected, self.weight)

    def _learn(self, minute: int, total: float) -> None:
        level = self.level
        exposure = 15.0 * self.season.factor(minute - 8)
        expected = level.rate * exposure
        clipped = total
        if self.age > 60:
            relative = self.spread.excess[2] + self.level_variance
            limit = expected + learnable(expected * (self.spread.dispersion[2] + relative * expected), self.alarm.noise)
            if total > limit:
                clipped = limit
        self.day_total += clipped
        if self.silence.expected > 12.0 and total == 0.0:
            return
        if self.above >= 60:
            self._adopt(minute)
            return
        rate = level.rate or 0.01
        # On the first day the hourly factors are unknown: follow the rate closely. A sparse series needs more time.
        least, events = (180.0, 60.0) if self.age < 1440 else (2880.0, 300.0)
        memory = max(least, min(20160.0, events / rate))
        level.add(clipped, exposure, memory, self.weight)

    def _adopt(self, minute: int) -> None:
        """Re-base the level on a deviation that has lasted an hour, and keep the previous rate for a day."""
        self.above = 0
        if self.long_surprise > 0.0:
            total = sum(self.hours[:24])
            expected = sum(self.hours[24:])
            if self.mean60 > 20.0:
                total, expected = self.sum60, self.mean60
        else:
            total, expected = self.sum60, self.mean60
        if expected <= 0.0 or total <= 0.0:
            return
        ratio = total / expected
        if self.saved_rate <= 0.0 or minute > self.saved_until:
            self.saved_rate = self.level.rate
        self.saved_until = minute + 1560
        self._rescale(ratio)

    def _rescale(self, ratio: float) -> None:
        level = self.level
        level.rebase(level.rate * ratio, min(level.exposure, 60.0 if self.mean60 > 5.0 else 360.0))
        for hour in range(24, 48):
            self.hours[hour] *= ratio
        for block in range(4):
            self.recent[block] *= ratio
        self.mean *= ratio
        self.mean15 *= ratio
        self.mean60 *= ratio
        self.long_surprise = 0.0
        self.season.rescale_days(ratio)

    def _back_to_normal(self, minute: int) -> bool:
        """Whether counts match the level before the last re-base again; if so, restores it."""
        if minute > self.saved_until:
            self.saved_rate = 0.0
            return False
        ratio = self.saved_rate / self.level.rate
        expected = 5.0 * self.mean * ratio
        variance = expected * (self.spread.dispersion[1] + (self.spread.excess[1] + 0.05) * expected)
        if (self.sum5 - expected) ** 2 > 16.0 * variance:
            return False
        self._rescale(ratio)
        self.saved_rate = 0.0
        self.above = 0
        self._forget_sums(keep=5)
        return True

    def _forget_sums(self, keep: int) -> None:
        """Reset the window sums to their expectation, except for the last `keep` (up to 5) minutes."""
        ring, mean, at = self.ring, self.mean, self.minute % 60
        for back in range(keep, 60):
            ring[at - back] = mean
        self.mean15, self.mean60 = 15.0 * mean, 60.0 * mean
        for place in range(4):
            self.recent[place] = mean
        self.sum5 = sum(ring[at - back] for back in range(5))
        self.sum15 = sum(ring[at - back] for back in range(15))
        self.sum60 = sum(ring)
        for hour in range(24):
            self.hours[hour] = self.hours[24 + hour]
        self.long_surprise = self.block_peak = 0.0

    def _end_hour(self, minute: int) -> None:
        spread = self.spread
        hour = ((minute - 1) // 60) % 24
        self.long_surprise = 0.0
        for index, hours in ((4, 6), (5, 24)):
            if self.age < hours * 60:
                break
            total = sum(self.hours[(hour - back) % 24] for back in range(hours))
            expected = sum(self.hours[24 + (hour - back) % 24] for back in range(hours))
            if (hour + 1) % hours == 0 and expected > 0.0:
                self._add_spread(index, total, expected)
            # Over a day the hours' factors average out.
            relative = spread.excess[index] + self.level_variance - (self.season.variance if hours == 24 else 0.0)
            if total > 1.3 * expected > 0.0:
                found = upper_tail(total, expected, relative, spread.dispersion[index]) + ALLOWANCE[index]
                if found > self.long_surprise:
                    self.long_surprise, self.long_reason = found, index + 1

    def _end_day(self, minute: int) -> None:
        day = minute // 1440 - 1
        whole, self.whole_day = self.whole_day, True
        # Ignore the days before the first event of the series.
        if whole and self.age >= 1440 and (self.day_total > 0.0 or self.season.days):
            known = self.season.end_of_day(self.hours[:24], self.day_total, day)
            level = self.level
            if self.season.days <= 3 or self.season.changed:
                # Errors measured without the factors do not describe errors with them, least of all in long windows.
                if self.season.changed:
                    self.spread.forget(0.05, longer=0.0)
                else:
                    self.spread.forget(0.1, longer=0.1)
            if known and level.learned > 7 * 1440.0:
                memory = max(2880.0, min(20160.0, 300.0 / (level.rate or 0.01)))
                rate = self.season.level_from_days(day, memory, decay(1440.0, memory))
                level.rate = rate
                level.events = rate * level.exposure
        if not self.day_total and not self.season.days:
            # The day of the first event is incomplete.
            self.whole_day = False
        self.day_total = 0.0
        self.silence.forget_a_day()
        # Forget alerts raised before the hourly factors were learned.
        self.alarm.end_of_day(learned=self.season.days > 2)
        if day % 7 == 0:
            self.schedule.forget_a_week()

    def _prepare(self, minute: int) -> None:
        """Set the expectation and limits for the next 15 minutes."""
        spread = self.spread
        spread.refresh()
        level = self.level
        blocks = self.recent
        blocks[3], blocks[2], blocks[1], blocks[0] = blocks[2], blocks[1], blocks[0], self.mean
        self.mean15 = 15.0 * blocks[0]
        self.mean60 = 15.0 * sum(blocks[:4])
        self.mean = mean = level.rate * self.season.factor(minute + 7)
        self._allow(*self.season.bounds(minute + 7))
        days = self.age / 1440.0
        unknown = 0.002 + (0.4 if days < 1.0 else 0.05 if self.season.week_days < 7 else 0.0)
        self.level_variance = variance = (
            level.relative_variance(spread.ratio(3, 60.0 * mean)) + unknown + self.season.variance
        )
        self.clip1 = (
            1e9
            if mean <= 0.0
            else learnable(mean * (spread.dispersion[0] + (spread.excess[0] + variance) * mean), self.alarm.noise)
        )

    def _allow(self, up: float, down: float) -> None:
        """Record how far the expectation may be off in this block when the daily profile shifts by an hour."""
        recent = self.recent
        for place in (13, 12, 11, 10, 18, 17, 16, 15):
            recent[place] = recent[place - 1]
        recent[9], recent[14] = up, down
        recent[UP], recent[UP_HOUR] = max(up, recent[10]), max(recent[9:14])
        recent[DOWN], recent[DOWN_HOUR] = min(down, recent[15]), min(recent[14:19])

    def _resume(self, minute: int) -> None:
        """Continue after missing minutes (the service was down) as if their counts had been as expected.

        Nothing is learned from missing minutes: short sums restart from their expectation, and the day is skipped.
        """
        first = self.minute < 0
        self.minute = minute - 1
        self.whole_day = minute % 1440 == 0
        if first:
            return
        self._prepare(minute - minute % 15)
        for place in range(4, 9):
            self.recent[place] = self.mean
        self.sum_raw = 5.0 * self.mean
        self._forget_sums(keep=0)
        self.squares1 = self.squares5 = 0.0
        self.above = 0
        self.silence.minutes = 0
        self.silence.expected = self.silence.missed = 0.0
        self.schedule.start = -1
        self.schedule.explained = False
        self.schedule.excuse_job(minute)

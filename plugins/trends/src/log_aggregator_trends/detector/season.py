"""What the hour of the day and the day of the week do to the rate, once they have been seen."""

from __future__ import annotations

from array import array

_HOURS = 24
_SMALLEST_GAIN = 0.12
_SMALLEST_FACTOR = 0.02
_STEP = 2.5
_DAY_OFF = 0.5
"""Share of the median day under which a day is one off."""
_STEEP = 1.3
"""How many times more or less an hour earlier or later must be to be allowed for."""
_QUIET_NIGHT = 0.1
"""What the first night may leave of the level: nobody knows before it was seen."""
_MIDNIGHT = 180
"""Minutes by which the day of the week may begin earlier or later."""
_CAUTION = 1.7
"""How many times the expected noise must be exceeded before a course of the day is believed in."""


class Season:
    """Multiplicative factors: 24 hours (interpolated) times 7 days. All 1 until learned.

    Learned once a day from that day's hourly sums. Factors are shrunk towards 1 by how much the hours differ beyond
    what the difference between days explains (positive-part James-Stein, Efron & Morris 1973), separately for
    the smooth course of the day and for the single hours around it.
    """

    __slots__ = ("changed", "days", "hours", "noise", "variance", "week", "week_days")

    def __init__(self) -> None:
        # Factors of the 24 hours as used (shrunk), then as measured.
        self.hours = array("f", [1.0] * (2 * _HOURS))
        # Factors of Monday to Sunday, then their last totals.
        self.week = array("f", [1.0] * 7 + [-1.0] * 7)
        self.days = 0
        self.changed = False
        self.week_days = 0
        self.noise = 0.0
        self.variance = 0.0

    def factor(self, minute: int) -> float:
        """Factor for the absolute `minute` (since the epoch, UTC)."""
        day_factor = self.week[(minute // 1440 + 3) % 7]
        if day_factor < _DAY_OFF:
            # On a day off the course of a working day says nothing.
            return day_factor
        return self._hourly(minute) * day_factor

    def _hourly(self, minute: int) -> float:
        """Factor for the time of day of `minute`."""
        position = (minute % 1440) / 60.0 - 0.5
        low = int(position // 1)
        share = position - low
        factors = self.hours
        left = factors[low % _HOURS]
        right = factors[(low + 1) % _HOURS]
        if left < _STEP * right and right < _STEP * left:
            return left + (right - left) * share
        # Opening hours, a nightly stop: a step, not a slope.
        return left if share < 0.5 else right

    def bounds(self, minute: int) -> tuple[float, float]:
        """What else the factor for `minute` may be, as multiples of it: at most and at least. Mostly 1 and 1.

        The hours are as sharp as an hour, clocks change by one, and people come early or late: where the course is
        steep, the factors an hour before and after are as likely. A week is not cut at midnight UTC everywhere. And
        on a day off the course of a working day may be there, or not.
        """
        if not self.days:
            return 1.0, _QUIET_NIGHT
        usual = self.factor(minute)
        day_factor = self.week[(minute // 1440 + 3) % 7]
        course = self._hourly(minute)
        others = [self.factor(minute - 60), self.factor(minute + 60)]
        for near in (minute - _MIDNIGHT, minute + _MIDNIGHT):
            other = self.week[(near // 1440 + 3) % 7]
            others.append(other if other < _DAY_OFF else other * course)
        if day_factor < _DAY_OFF:
            others += [day_factor * self._hourly(minute + shift) for shift in (-60, 0, 60)]
        up, down = max(others) / usual, min(others) / usual
        return up if up > _STEEP else 1.0, down if down * _STEEP < 1.0 else 1.0

    def end_of_day(self, sums: array[float], day_total: float, day: int) -> bool:
        """Learn from the 24 hourly `sums` (hour 0 first) of the day number `day` since the epoch.

        Returns whether all seven days are known, so that the level should be re-based on the days' totals.
        """
        weekday = (day + 3) % 7
        self.week[7 + weekday] = day_total
        self.week_days += 1
        mean = sum(sums) / _HOURS
        usual = sorted(total for total in self.week[7:] if total >= 0.0)
        if mean > 0.0 and day_total >= _DAY_OFF * usual[len(usual) // 2]:
            self._learn_hours([value / mean for value in sums])
        if self.week_days < 7:
            return False
        before = tuple(self.week[:7])
        self._learn_days(weekday)
        self.changed = max(abs(a - b) for a, b in zip(before, self.week[:7], strict=True)) > 0.15
        return True

    def _learn_hours(self, today: list[float]) -> None:
        hours = self.hours
        days = self.days
        if days == 0:
            noise = sum((today[h] - today[h - 1]) ** 2 for h in range(_HOURS)) / (2.0 * _HOURS)
            self.noise = noise
            for h in range(_HOURS):
                hours[_HOURS + h] = today[h]
            weight = 1.0
        else:
            gain = max(1.0 / (days + 1), _SMALLEST_GAIN)
            limit = 3.0 * self.noise**0.5 if days >= 2 else 1e9
            squares = 0.0
            for h in range(_HOURS):
                difference = today[h] - hours[_HOURS + h]
                # One odd hour must not become tomorrow's expectation.
                difference = max(-limit, min(limit, difference))
                squares += difference * difference
                hours[_HOURS + h] += gain * difference
            fresh = squares / _HOURS * days / (days + 1.0)
            self.noise += max(1.0 / (days + 1), 0.1) * (fresh - self.noise)
            weight = max(1.0 / (days + 1), _SMALLEST_GAIN / (2.0 - _SMALLEST_GAIN))
        self.days = days + 1
        self._shrink(0.375 * self.noise * weight)

    def _shrink(self, noise: float) -> None:
        hours = self.hours[_HOURS:]
        smooth = [(hours[h - 1] + 2.0 * hours[h] + hours[(h + 1) % _HOURS]) / 4.0 for h in range(_HOURS)]
        course = sum((value - 1.0) ** 2 for value in smooth) / _HOURS
        detail = sum((hours[h] - smooth[h]) ** 2 for h in range(_HOURS)) / _HOURS
        trust_course = max(0.0, 1.0 - _CAUTION * noise / course) if course > 0.0 else 0.0
        trust_detail = max(0.0, 1.0 - _CAUTION * noise / detail) if detail > 0.0 else 0.0
        fresh = [
            max(_SMALLEST_FACTOR, 1.0 + trust_course * (smooth[h] - 1.0) + trust_detail * (hours[h] - smooth[h]))
            for h in range(_HOURS)
        ]
        mean = sum(fresh) / _HOURS
        for h in range(_HOURS):
            self.hours[h] = fresh[h] / mean
        self.variance = noise * (trust_course + trust_detail)

    def _learn_days(self, weekday: int) -> None:
        """A day counts as different only when it stands out from the scatter of the seven (median and MAD)."""
        totals = self.week[7:]
        middle = sorted(totals)[3]
        if middle <= 0.0:
            return
        scatter = 1.48 * sorted(abs(total / middle - 1.0) for total in totals)[3]
        scatter = max(scatter, (1.0 / middle + 0.0005) ** 0.5)
        for day in range(7):
            difference = totals[day] / middle - 1.0
            trust = max(0.0, 1.0 - 6.0 * scatter * scatter / (difference * difference)) if difference else 0.0
            if trust > 0.8:
                trust = 1.0
            target = max(_SMALLEST_FACTOR, 1.0 + trust * difference)
            factors = self.week
            if self.week_days == 7:
                factors[day] = target
            elif day == weekday:
                factors[day] += 0.5 * (target - factors[day])

    def level_from_days(self, day: int, time_constant: float, decay: float) -> float:
        """Rate per minute that the last seven days show, by their factors; `decay` is the weight lost a day."""
        events = exposure = 0.0
        weight = 1.0
        for age in range(7):
            weekday = (day - age + 3) % 7
            events += weight * self.week[7 + weekday]
            exposure += weight * 1440.0 * self.week[weekday]
            weight *= decay
        return events / exposure

    def rescale_days(self, ratio: float) -> None:
        """The level changed for good by `ratio`: keep the days comparable."""
        for weekday in range(7, 14):
            if self.week[weekday] > 0.0:
                self.week[weekday] *= ratio

"""Seasonal factors on the rate: by hour of the day and by day of the week."""

from __future__ import annotations

from array import array

_HOURS = 24
_SMALLEST_GAIN = 0.12
_SMALLEST_FACTOR = 0.02
_STEP = 2.5
_DAY_OFF = 0.5
"""Share of the median day's total below which a day is a day off."""
_STEEP = 1.3
"""Ratio to the factor of an hour earlier or later from which `bounds` allows for it."""
_QUIET_NIGHT = 0.1
"""Smallest multiple of the level to allow for on the first day: the first night is unknown."""
_MIDNIGHT = 180
"""Minutes by which a weekday may begin before or after midnight UTC."""
_NOISE_MULTIPLE = 1.7
"""Multiple of the expected noise that a daily profile must exceed to be used."""


class Season:
    """Multiplicative factors: 24 hours (interpolated) times 7 days. All 1 until learned.

    They are learned once a day from that day's hourly sums and shrunk towards 1 (positive-part James-Stein, Efron &
    Morris 1973) according to the ratio of the variance between hours to the noise between days, separately for the
    smooth daily profile and for the deviations of single hours from it.
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
            # The hourly factors describe working days only.
            return day_factor
        return self._hourly(minute) * day_factor

    def _hourly(self, minute: int) -> float:
        """Factor of the time of day of `minute`."""
        position = (minute % 1440) / 60.0 - 0.5
        low = int(position // 1)
        share = position - low
        factors = self.hours
        left = factors[low % _HOURS]
        right = factors[(low + 1) % _HOURS]
        if left < _STEP * right and right < _STEP * left:
            return left + (right - left) * share
        # A large ratio is a step (opening hours, a nightly stop): do not interpolate.
        return left if share < 0.5 else right

    def bounds(self, minute: int) -> tuple[float, float]:
        """The largest and smallest plausible factor at `minute`, as multiples of the expected one; mostly 1 and 1.

        Where the daily profile is steep, the factors of an hour earlier and later are as plausible: profiles have a
        resolution of an hour, and clock changes and habits shift them. Weekdays do not begin at midnight UTC
        everywhere. A day off may follow the profile of a working day or not.
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
        """Learn from the 24 hourly `sums` (hour 0 first) of day number `day` since the epoch.

        Returns whether all seven weekdays are known, so that the level should be computed from their totals.
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
                # Clip: a single outlier must not become the expectation of the next day.
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
        trust_course = max(0.0, 1.0 - _NOISE_MULTIPLE * noise / course) if course > 0.0 else 0.0
        trust_detail = max(0.0, 1.0 - _NOISE_MULTIPLE * noise / detail) if detail > 0.0 else 0.0
        fresh = [
            max(_SMALLEST_FACTOR, 1.0 + trust_course * (smooth[h] - 1.0) + trust_detail * (hours[h] - smooth[h]))
            for h in range(_HOURS)
        ]
        mean = sum(fresh) / _HOURS
        for h in range(_HOURS):
            self.hours[h] = fresh[h] / mean
        self.variance = noise * (trust_course + trust_detail)

    def _learn_days(self, weekday: int) -> None:
        """Give a weekday a factor other than 1 only when it exceeds the scatter of the seven (median and MAD)."""
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
        """Rate per minute over the last seven days and their factors; `decay` is the weight per day of age."""
        events = exposure = 0.0
        weight = 1.0
        for age in range(7):
            weekday = (day - age + 3) % 7
            events += weight * self.week[7 + weekday]
            exposure += weight * 1440.0 * self.week[weekday]
            weight *= decay
        return events / exposure

    def rescale_days(self, ratio: float) -> None:
        """Scale the weekdays' totals by `ratio` after a re-base of the level, to keep them comparable."""
        for weekday in range(7, 14):
            if self.week[weekday] > 0.0:
                self.week[weekday] *= ratio

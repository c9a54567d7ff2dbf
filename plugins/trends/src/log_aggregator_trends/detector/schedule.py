"""Scheduled bursts: at the same minute of the hour, at the same time of day, or at a fixed interval."""

from __future__ import annotations

from math import log, log2

_STEPS = 8.0
"""Sizes are stored in one byte as eighths of an octave, 9 % apart."""

_FRESH = 0x80
_LONGEST_HOURLY = 10
_LONGEST_DAILY = 120
MISSED_AFTER = 5
"""Minutes without a burst after which a burst has ended, or an expected one was missed."""
_SLOTS = 288
_JOB_SLOT, _JOB_CARRY, _JOB_RUNS, _JOB_SIZE, _JOB_DAY = range(_SLOTS, _SLOTS + 5)
"""Offsets in `Schedule.daily` after the slots: the five-minute slot of a daily job in two bytes, its runs in a row, its
size, and the low byte of the day of its last run."""
_JOB_TOLERANCE = 30
"""Minutes by which a daily job may be early or late."""
_SMALL_RUN = 0.25
SURE_OF_JOB = 8
"""Consecutive days with a run after which a job is daily; a job of working days never has as many."""
_PRIOR_SIZES = 4.0
_PRIOR_SIZE_VARIANCE = 0.04


def _pack(size: float) -> int:
    return max(1, min(127, round(_STEPS * log2(1.0 + size))))


def _unpack(code: int) -> float:
    return float(2.0 ** (code / _STEPS)) - 1.0


def _smooth(old: int, new: int) -> int:
    """Move a stored size a quarter of the way to a new one, at least one step."""
    if old == 0:
        return new
    step = (new - old) / 4.0
    return old + (max(1, round(step)) if step > 0 else min(-1, round(step)) if step < 0 else 0)


class Schedule:
    """Tables of burst sizes: 60 minutes of the hour, 288 five-minute slots of the day, and the last interval.

    The size of a burst is the largest excess of a five-minute sum. A day slot is kept for one to two weeks, so that
    weekly jobs are found; a minute of the hour is dropped when its bursts cease.
    """

    __slots__ = (
        "daily",
        "explained",
        "hourly",
        "interval",
        "largest",
        "last",
        "predicted",
        "previous",
        "seen",
        "size",
        "size_variance",
        "start",
    )

    def __init__(self) -> None:
        # Sizes for the 60 minutes of the hour, then the number of consecutive bursts of each.
        self.hourly = bytearray(120)
        self.daily = bytearray(_SLOTS + 5)
        self.start = -1
        self.explained = False
        self.last = -1000
        self.largest = 0.0
        self.predicted = 0.0
        self.previous = -1
        self.interval = 0
        self.seen = 0.0
        self.size = 0.0
        self.size_variance = _PRIOR_SIZE_VARIANCE

    def expected(self, minute: int, excess: float) -> float:
        """Size of the burst expected at this minute, large enough for `excess` if any table has one; else 0.0."""
        m = minute % 60
        hourly = self.hourly
        code = hourly[m] or max(hourly[(m - 1) % 60], hourly[(m + 1) % 60])
        if hourly[60 + m] < 2 or excess > 1.3 * _unpack(code):
            slot = (minute % 1440) // 5
            daily = self.daily
            code = max(
                code,
                daily[slot] & 0x7F,
                daily[slot - 1 if slot else _SLOTS - 1] & 0x7F,
                daily[(slot + 1) % _SLOTS] & 0x7F,
            )
        size = _unpack(code) if code else 0.0
        if self.interval and excess > 1.3 * size:
            reference = self.start if self.start >= 0 else minute
            late = reference - self.previous - self.interval
            if -1 - self.interval // 50 <= late <= 1 + self.interval // 50:
                size = max(size, self.size)
        return size

    def burst(self, minute: int, excess: float, predicted: float) -> None:
        """Add this minute to the current burst; `excess` is its five-minute sum above the expectation."""
        if self.start < 0:
            self.start = minute
            self.predicted = self.largest = 0.0
        self.largest = max(self.largest, excess)
        self.predicted = max(self.predicted, predicted)
        self.last = minute

    def end_if_quiet(self, minute: int) -> None:
        """Store the current burst once it has had no minute for `MISSED_AFTER` minutes."""
        if minute - self.last < MISSED_AFTER:
            return
        start, last = self.start, self.last
        self.start = -1
        self.explained = False
        length = last - start + 1
        if self.predicted > 0.0:
            error = self.largest / self.predicted - 1.0
            square = min(error * error, 9.0 * self.size_variance)
            self.seen = min(self.seen + 1.0, 100.0)
            self.size_variance += (square - self.size_variance) / (self.seen + _PRIOR_SIZES)
        if length > _LONGEST_DAILY:
            return
        code = _pack(self.largest)
        # A burst that the hourly table predicts well is not entered in the daily one.
        hourly = self.predicted > 0.0 and self.hourly[60 + start % 60] > 3
        if not hourly:
            self._note_job(start, code)
        for slot in () if hourly else range(start // 5, last // 5 + 1):
            at = slot % _SLOTS
            self.daily[at] = _smooth(self.daily[at] & 0x7F, code) | _FRESH
        if length <= _LONGEST_HOURLY:
            for at in range(start, last + 2):
                m = at % 60
                self.hourly[m] = _smooth(self.hourly[m], code)
                self.hourly[60 + m] = min(255, self.hourly[60 + m] + 1)
            self.interval = start - self.previous if self.previous >= 0 else 0
            self.previous = start
            self.size = self.largest

    @property
    def job_minute(self) -> int:
        """Minute of the day at which the daily job starts; 0 when there is none."""
        return 5 * (self.daily[_JOB_SLOT] + 256 * self.daily[_JOB_CARRY])

    @property
    def job_size(self) -> float:
        """Size of the daily job's burst."""
        return _unpack(self.daily[_JOB_SIZE])

    def _job_day(self, minute: int) -> int:
        return (minute - self.job_minute + 720) // 1440 & 0xFF

    def _note_job(self, start: int, code: int) -> None:
        """Count a burst that began at `start` as a run of the daily job, or as the first run of another."""
        daily = self.daily
        distance = abs((start - self.job_minute + 720) % 1440 - 720)
        if daily[_JOB_RUNS] and distance <= _JOB_TOLERANCE and code >= daily[_JOB_SIZE] - _STEPS:
            if daily[_JOB_DAY] != self._job_day(start):
                daily[_JOB_RUNS] = min(255, daily[_JOB_RUNS] + 1)
                daily[_JOB_DAY] = self._job_day(start)
                daily[_JOB_SIZE] = _smooth(daily[_JOB_SIZE], code)
        elif daily[_JOB_RUNS] < 3 and code > daily[_JOB_SIZE]:
            daily[_JOB_CARRY], daily[_JOB_SLOT] = divmod(start % 1440 // 5, 256)
            daily[_JOB_RUNS], daily[_JOB_SIZE] = 1, code
            daily[_JOB_DAY] = self._job_day(start)

    def excuse_job(self, minute: int) -> None:
        """Treat the job as run on this day: minutes before `minute` are missing, and may have held it."""
        self.daily[_JOB_DAY] = self._job_day(minute)

    def missed_job(self, minute: int, excess: float) -> int:
        """Consecutive runs of the daily job when it is overdue now; else 0. Call it once every 15 minutes.

        `excess` is the count of the last hour above the expectation: a small run may not be a burst.
        """
        daily = self.daily
        runs = daily[_JOB_RUNS]
        late = (minute - self.job_minute) % 1440 - _JOB_TOLERANCE
        if not runs or not 0 <= late < 15 or self.start >= 0 or daily[_JOB_DAY] == self._job_day(minute):
            return 0
        if excess > _SMALL_RUN * self.job_size:
            daily[_JOB_DAY] = self._job_day(minute)
            return 0
        daily[_JOB_RUNS] = 0
        return runs

    def missed(self, minute: int) -> float:
        """-ln of the probability that an hourly burst due `MISSED_AFTER` minutes ago is absent; 0.0 if none was due.

        Laplace's rule of succession: after `n` bursts in a row the next is absent with probability 1/(n+2).
        """
        m = (minute - MISSED_AFTER) % 60
        if not self.hourly[m] or (self.start >= 0 or minute - self.last < 2 * MISSED_AFTER):
            return 0.0
        hits = self.hourly[60 + m]
        left = hits - max(1, hits // 4)
        self.hourly[60 + m] = left
        if left <= 0:
            self.hourly[m] = 0
        # A burst covers several minutes: count it as missed once, at its first minute.
        return log(hits + 2.0) if hits >= 3 and not self.hourly[(m - 1) % 60] else 0.0

    def forget_a_week(self) -> None:
        """Drop day slots unused since the last call."""
        daily = self.daily
        for slot in range(_SLOTS):
            daily[slot] = daily[slot] & 0x7F if daily[slot] & _FRESH else 0

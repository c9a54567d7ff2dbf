"""What one message turned out to be."""

from __future__ import annotations

from datetime import tzinfo
from functools import lru_cache
from typing import Any

import msgspec

from log_aggregator.model.fields.lenient import SENT_TIMESTAMP
from log_aggregator.model.fields.timestamps import EARLIEST, LEEWAY, microseconds_of, read
from log_aggregator.model.fields.written_times import read_yearless

DAY = 86_400_000_000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_SCALES = (0, 100_000, 10_000, 1000, 100, 10, 1)
"""Microseconds of the last digit of a fraction, by its digits."""


class Found(msgspec.Struct, gc=False):
    """The parts of a message, gathered from the outside in. `level`, `source` and `timestamp` are empty until found.

    `is_foreign` says that the fields came out of an object, so that they may be large or hold any character.
    """

    text: str
    now: int
    zone: tzinfo
    level: str = ""
    source: str = ""
    timestamp: int = 0
    is_foreign: bool = False
    fields: dict[str, Any] = {}

    def take_time(self, text: str) -> bool:
        """Take a time, unless one further out had one. One that cannot be read or believed is kept as a field.

        Always true: what is of a format is lifted, whatever its digits say.
        """
        try:
            when = self._moment(text)
        except (ValueError, OverflowError):
            when = 0
        if EARLIEST <= when <= self.now + LEEWAY:
            self.timestamp = self.timestamp or when
        elif not self.timestamp:
            self.fields.setdefault(SENT_TIMESTAMP, text)
        return True

    def take_day(self, month: str, day: str, clock: str) -> bool:
        """Take a time without a year, its month a number."""
        name = MONTHS[int(month) - 1] if 1 <= int(month) <= len(MONTHS) else month
        return self.take_time(f"{name} {day} {clock}")

    def take_epoch(self, digits: str) -> bool:
        """Take `1772359200`, `1772359200.123` or `1772359200123`; false for what cannot be believed."""
        whole, _, fraction = digits.partition(".")
        when = int(whole) * (1000 if len(whole) > len("1772359200") else 1_000_000) + int(f"{fraction:0<6}"[:6])
        if not EARLIEST <= when <= self.now + LEEWAY:
            return False
        self.timestamp = self.timestamp or when
        return True

    def _moment(self, text: str) -> int:
        kind = text[4:5]
        if kind == "-":
            return iso_moment(text)
        if kind == "/":
            return iso_moment(text.replace("/", "-", 2))
        if len(text) < 16 and text[2:3] == ":":
            return self._today(text)
        whole, dot, fraction = text.partition(".")
        if dot and fraction.isdecimal():
            return _moment_of(whole, self.now // DAY, self.zone) + int(f"{fraction:0<6}"[:6])
        return _moment_of(text, self.now // DAY, self.zone)

    def _today(self, clock: str) -> int:
        """A time of day: of the day of receipt, or of the day before when it would lie ahead."""
        seconds = read(f"1970-01-01 {clock.replace(',', '.')}")
        when = self.now - self.now % DAY + seconds
        return when - DAY if when > self.now + DAY // 24 else when

    def take_field(self, name: str, value: Any) -> None:
        """Take a field that has a value, unless one further out has the name."""
        if value is not None and value not in ("", "-"):
            self.fields.setdefault(name, value)


@lru_cache(maxsize=4096)
def _moment_of(text: str, day: int, zone: tzinfo) -> int:
    """A time that is not ISO 8601, in microseconds; most lines share theirs with others. `day` is that of receipt."""
    if _is_yearless(text):
        seconds = text[13:]
        if len(seconds) == 2 and "00" < seconds < "60" and seconds.isdecimal():
            minute = _moment_of(f"{text[:13]}00", day, zone)
            if minute < (day + 1) * DAY:  # the newest that counts: what is later is of the year before
                return minute + int(seconds) * 1_000_000
        return microseconds_of(read_yearless(text, day * DAY, zone))
    seconds = text[18:20]
    if text[2:3] == "/" and text[17:18] == ":" and "00" < seconds < "60" and seconds.isdecimal():
        return _moment_of(f"{text[:18]}00{text[20:]}", day, zone) + int(seconds) * 1_000_000
    return read(text)


def _is_yearless(text: str) -> bool:
    """`Nov 30 10:00:00`."""
    return text[:1].isalpha() and text[3:4] == " " and text[6:7] == " " and text[9:10] == ":"


def iso_moment(text: str) -> int:
    """`2026-03-01 10:00:00.123` in microseconds, as `read` has it: its second remembered, its fraction added.

    Raises `ValueError` or `OverflowError` where `read` does.
    """
    fraction = text[19:].removesuffix("Z")
    if not fraction:
        return _second_of(text)
    digits = fraction[1:]
    if fraction[0] in ".," and text[16:17] == ":" and len(digits) <= 9 and digits.isdecimal() and text[11:13] != "24":
        size = len(digits)
        return _second_of(text[:19]) + (int(digits) * _SCALES[size] if size <= 6 else int(digits[:6]))
    return read(text)


@lru_cache(maxsize=4096)
def _second_of(text: str) -> int:
    return read(text)

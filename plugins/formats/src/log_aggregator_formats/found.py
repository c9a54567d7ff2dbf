"""What one message turned out to be."""

from __future__ import annotations

from datetime import tzinfo
from functools import lru_cache
from typing import Any

from log_aggregator.model.fields.lenient import SENT_TIMESTAMP
from log_aggregator.model.fields.timestamps import EARLIEST, LEEWAY, microseconds_of, read
from log_aggregator.model.fields.written_times import read_yearless

DAY = 86_400_000_000


class Found:
    """The parts of a message, gathered from the outside in. `level`, `source` and `timestamp` are empty until found.

    `is_foreign` says that the fields came out of an object, so that they may be large or hold any character.
    """

    __slots__ = ("fields", "is_foreign", "level", "now", "source", "text", "timestamp", "zone")

    def __init__(self, text: str, now: int, zone: tzinfo) -> None:
        self.text = text
        self.now = now
        self.zone = zone
        self.level = ""
        self.source = ""
        self.timestamp = 0
        self.is_foreign = False
        self.fields: dict[str, Any] = {}

    def take_time(self, text: str) -> bool:
        """Take a time, unless one further out had one. One that cannot be read or believed is kept as a field.

        Always true: what is of a format is lifted, whatever its digits say.
        """
        try:
            if text[4:5] == "-":
                when = read(text)
            elif text[4:5] == "/":
                when = read(text.replace("/", "-", 2))
            elif len(text) < 16 and text[2:3] == ":":
                when = self._today(text)
            else:
                whole, dot, fraction = text.partition(".")
                if dot and fraction.isdecimal():
                    when = _moment_of(whole, self.now // DAY, self.zone) + int(f"{fraction:0<6}"[:6])
                else:
                    when = _moment_of(text, self.now // DAY, self.zone)
        except (ValueError, OverflowError):
            when = 0
        if EARLIEST <= when <= self.now + LEEWAY:
            self.timestamp = self.timestamp or when
        elif not self.timestamp:
            self.fields.setdefault(SENT_TIMESTAMP, text)
        return True

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
    if text[:1].isalpha() and text[3:4] == " " and text[6:7] == " " and text[9:10] == ":":
        return microseconds_of(read_yearless(text, day * DAY, zone))
    return read(text)

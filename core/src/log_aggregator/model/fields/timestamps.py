"""When a log says it happened: ISO 8601, a form that logs use, or an epoch number → microseconds."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from log_aggregator.model.fields.written_times import read_written

EARLIEST = 946_684_800_000_000
"""2000-01-01. A clock that shows an earlier time was never set."""

LEEWAY = 86_400_000_000
"""How far ahead of us a clock may be: a day, in microseconds."""


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  UTC, without saying so in the text
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)


class AbsurdTimeError(ValueError):
    """A time that can be read but not believed: before 2000, or more than a day ahead."""


def parse(sent: str | int | float, now: int) -> int:
    """A timestamp as sent → microseconds since the epoch.

    Raises `ValueError` when it cannot be read, and its subclass `AbsurdTimeError`.
    """
    when = read(sent)
    if when < EARLIEST or when > now + LEEWAY:
        raise AbsurdTimeError(f"{sent!r} is before 2000 or more than a day ahead")
    return when


def read(sent: str | int | float) -> int:
    """Any time that can be read → microseconds since the epoch, believable or not.

    Numbers below 1e11 are seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds; a
    text may hold such a number. A time without an offset is UTC. Raises `ValueError`, `OverflowError`.
    """
    return _from_text(sent) if isinstance(sent, str) else _from_number(sent)


def microseconds_of(moment: datetime) -> int:
    """A moment → microseconds since the epoch; without a zone it is UTC."""
    return _microseconds(moment)


def _from_text(text: str) -> int:
    if text.isdecimal() and len(text) != 8:  # eight digits are a date: 20261123
        return _from_number(int(text[:40]))
    try:
        return _microseconds(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return _from_odd_text(text.strip())


def _from_odd_text(text: str) -> int:
    try:
        return _from_number(float(text))
    except (ValueError, OverflowError):
        pass
    try:
        # RFC 3339 allows small letters, and a leap second that datetime does not know.
        return _microseconds(datetime.fromisoformat(text.upper().replace(":60", ":59")))
    except (ValueError, OverflowError):
        return _microseconds(read_written(text))


def _microseconds(moment: datetime) -> int:
    since = moment - (_EPOCH if moment.tzinfo is None else _EPOCH_UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _from_number(number: float) -> int:
    if not math.isfinite(number):
        raise ValueError("not a number")
    size = abs(number)
    if size < 1e11:
        return round(number * 1_000_000)
    if size < 1e14:
        return round(number * 1000)
    if size < 1e17:
        return round(number)
    if size < 1e20:
        return round(number // 1000)
    raise AbsurdTimeError("beyond the year 5000 in any unit")


def to_iso(microseconds: int) -> str:
    """Microseconds since the epoch → `2026-11-23T20:23:33.123456Z`."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds") + "Z"

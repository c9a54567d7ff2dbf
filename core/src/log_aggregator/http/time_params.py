"""How a time is written in a query: ISO 8601, an epoch number, or relative to now."""

from __future__ import annotations

import re
import time
from typing import Annotated

from pydantic import BeforeValidator

from log_aggregator.model.fields import timestamps

LATEST = 253_402_300_799_999_999
"""The last microsecond of the year 9999."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(r"([+-])(\d{1,9})([smhdw])")

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_DAY = 86_400_000_000

MARK = "mark:"
"""How a time begins that names a mark; it is looked up in the store before a query is read."""

EXPECTED = (
    "expected ISO 8601 (2026-11-23T20:00:00Z), an epoch number, now, a time before now such as -1h, a time of the day "
    "in UTC such as 14:00, or mark:NAME"
)


def moment(text: str) -> int:
    """A time in a query → microseconds since the epoch, within the years 1970 to 9999.

    Relative times are `now` and `-90s`, `-15m`, `-1h`, `-7d`, `-2w` (`+` looks ahead), and `14:00` is the last time
    that it was 14:00 in UTC. A `+` that a URL turned into a space is understood. Raises `ValueError`.
    """
    text = text.strip() if not text.startswith(" ") else "+" + text.strip()
    if text.lstrip("+") == "now":
        return now()
    relative = _RELATIVE.fullmatch(text)
    if clock := _CLOCK.fullmatch(text):
        return _last_time_of_day(*[int(part or 0) for part in clock.groups()])
    try:
        if relative:
            sign, number, unit = relative.groups()
            distance = int(number) * _UNITS[unit] * 1_000_000
            when = now() + distance if sign == "+" else max(0, now() - distance)
        else:
            when = timestamps.read(text.replace(" ", "+") if re.search(r" \d\d:?\d\d$", text) and "T" in text else text)
    except (ValueError, OverflowError):
        raise ValueError(EXPECTED) from None
    if not 0 <= when <= LATEST:
        raise ValueError("expected a time within the years 1970 to 9999")
    return when


def _last_time_of_day(hour: int, minute: int, second: int) -> int:
    today = now() // _DAY * _DAY + (hour * 3600 + minute * 60 + second) * 1_000_000
    return today if today <= now() else today - _DAY


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


Moment = Annotated[int, BeforeValidator(lambda text: moment(text) if isinstance(text, str) else text)]
"""A query parameter that is a time."""

"""How a time is written on the command line: as in the HTTP interface, but local where it has no zone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_RELATIVE = re.compile(r"\d{1,9}[smhdw]")


def time_argument(text: str) -> str:
    """A time as the service understands it: `14:00` is the last time that it was so here, `1h` is `-1h`."""
    if _RELATIVE.fullmatch(text):
        return f"-{text}"
    if clock := _CLOCK.fullmatch(text):
        now = datetime.now().astimezone()
        hour, minute, second = (int(part or 0) for part in clock.groups())
        today = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
        return (today if today <= now else today - timedelta(days=1)).isoformat()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text  # the service says what it expects
    return moment.astimezone().isoformat() if moment.tzinfo is None and not text.isdigit() else text


def ahead_argument(text: str) -> str:
    """A time to come: `2h` is `+2h`."""
    return f"+{text}" if _RELATIVE.fullmatch(text) else time_argument(text)


def span_argument(text: str) -> str:
    """A span `A..B` of such times, or a start."""
    return "..".join(time_argument(part.strip()) for part in text.split("..", 1))

"""A made-up history: what is old, what is new since an hour, and what has begun to spike."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

HOUR = 3600


def log(message: str, age: float, level: str = "INFO", source: str = "shop", **metadata: Any) -> dict[str, Any]:
    """A log that is `age` seconds old."""
    at = datetime.fromtimestamp(time.time() - age, UTC).isoformat()
    return {"message": message, "level": level, "source": source, "timestamp": at, "metadata": metadata}


def history() -> list[dict[str, Any]]:
    """Three days of a small shop."""
    logs = []
    for hour in range(72):
        logs += [log(f"User {n + 100} logged in", hour * HOUR + 600, source="auth", user=f"u{n}") for n in range(5)]
        logs += [log(f"Payment {n + 7000} failed", hour * HOUR + 700, "ERROR", ms=n * 10) for n in range(2)]
    logs += [log(f"Payment {n + 9000} failed", 300, "ERROR", ms=n) for n in range(80)]
    logs += [log(f"Disk /dev/sd{n} is full", 400, "CRITICAL", "host-1") for n in range(3)]
    return logs

"""What a library of Python is told to log, and what a reader of its file should find: one JSON object a log."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine

LOGS, EXPECTED = Path(sys.argv[1]), Path(sys.argv[2])
"""The file that the library writes, and the one that says what it was told."""

SOURCE = "shop.orders"
"""The name of the logger."""

ROUNDS = 40
MESSAGES = {
    "DEBUG": "cache of order {0} opened",
    "INFO": 'order {0} paid by "Zoë" with 日本 card, 5% off',
    "WARN": "queue orders is at {0} of 1000 entries: slow down",
    "ERROR": "order {0} was lost, error handler ran",
    "CRITICAL": "disk /dev/sda{0} is full",
}
FIELDS = {"request": {"method": "GET", "path": "/orders/7"}, "attempt": 3, "region": "eu-1"}


def story(write: Callable[[str, str, dict[str, Any], BaseException | None], None], levels: dict[str, str]) -> None:
    """Call `write(level, message, fields, error)` for every log, yesterday by the clock, and note what was told.

    `levels` names those that a reader finds otherwise than they were told.
    """
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    with EXPECTED.open("w") as expected, time_machine.travel(yesterday, tick=True) as clock:
        for level, message, fields, error in _told():
            before = time.time()
            write(level, message, fields, error)
            told = {
                "message": message,
                "level": levels.get(level, level),
                "source": SOURCE,
                "from": before,
                "to": time.time(),
                "stack": ["ValueError: card 17 expired", "in charge"] if error else [],
            }
            expected.write(json.dumps(told) + "\n")
            clock.shift(1.7)


def _told() -> Iterator[tuple[str, str, dict[str, Any], BaseException | None]]:
    for number in range(ROUNDS):
        for level, message in MESSAGES.items():
            yield level, message.format(number), FIELDS if number % 2 else {}, None
        try:
            charge()
        except ValueError as error:
            yield "ERROR", f"charge of order {number} failed", {}, error


def charge() -> None:
    raise ValueError("card 17 expired")

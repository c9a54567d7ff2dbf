"""What every client logs: five levels, and an error with its stack trace. Runs in the environment of the clients."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

TARGET: dict[str, Any] = json.loads(sys.argv[1])
"""Where the service listens: `url`, `host`, `http`, and the port of each receiver;
`at`: seconds of the first log; `word`: begins all messages."""

SOURCE = "shop"
"""The source of all logs."""

EXTRA = {"region": "eu-1", "attempt": 3}
"""The metadata of all logs, where a client has a place for it."""

ORDERS = 5
LINES = {
    logging.DEBUG: f"{TARGET['word']} order %d opened",
    logging.INFO: f"{TARGET['word']} order %d paid",
    logging.WARNING: f"{TARGET['word']} order %d late",
    logging.ERROR: f"{TARGET['word']} order %d lost",
    logging.CRITICAL: f"{TARGET['word']} order %d doubled",
}


class Event(NamedTuple):
    """One log; `error` is what was raised."""

    level: int
    text: str
    number: int
    at: float
    error: Exception | None

    @property
    def message(self) -> str:
        return self.text % self.number

    def as_object(self, time_name: str = "time") -> dict[str, Any]:
        """The log as a program writes it that has an object a log."""
        log = {
            time_name: datetime.fromtimestamp(self.at, UTC).isoformat(),
            "level": logging.getLevelName(self.level),
            "message": self.message,
            **EXTRA,
        }
        return log | {"stack_trace": self.trace} if self.error else log

    @property
    def trace(self) -> str:
        """The stack trace as Python prints it; empty without an error."""
        return "".join(traceback.format_exception(self.error)) if self.error else ""


def events() -> Iterator[Event]:
    """All logs, a second apart."""
    at = TARGET["at"]
    for number in range(ORDERS):
        for level, text in LINES.items():
            yield Event(level, text, number, at, None)
            at += 1
    try:
        charge()
    except ValueError as error:
        yield Event(logging.ERROR, f"{TARGET['word']} charge %d failed", 17, at, error)


def charge() -> None:
    raise ValueError("card expired")


def tell(handler: logging.Handler, **extra: Any) -> None:
    """Log everything through a handler of the standard library's logging, and close it."""
    moment = 0.0

    def set_time(record: logging.LogRecord) -> bool:
        record.created = moment
        record.msecs = moment % 1 * 1000
        return True

    logger = logging.getLogger(SOURCE)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    logger.addFilter(set_time)
    for event in events():
        moment = event.at
        logger.log(event.level, event.text, event.number, extra=extra, exc_info=event.error)
    handler.flush()
    handler.close()


def retry(action: Any, seconds: float = 20) -> Any:
    """The result of `action` once it raises no `OSError`."""
    until = time.monotonic() + seconds
    while True:
        try:
            return action()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)

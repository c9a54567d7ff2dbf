"""What a plugin costs and how it fails, and when it is left alone for a while."""

from __future__ import annotations

import logging
import time
from typing import Any

FAILURES_TO_OPEN = 5
"""Failures in a row after which a plugin is left out for a while."""

PAUSE = 30.0
"""Seconds for which it is left out before it is tried again."""

SLOW_CALL = 0.25
"""Seconds on the event loop after which a call is named in the log."""

STALL = 0.5
"""Seconds on the event loop after which a call counts as a failure: nobody was answered meanwhile."""

SLOW_MEAN = 0.02
"""Seconds a call, on average of the last minute, beyond which `/health` names a stage."""

SLOW_CALLS = 10
"""Calls within a minute that an average needs."""

REMEMBERED = 60.0
"""Seconds for which a failure or a stall is shown in `/health`."""

log = logging.getLogger(__name__)


class _Minute:
    """Calls and their seconds in the minute that runs and the one before it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._now = self._before = (0, 0.0)

    def add(self, seconds: float) -> None:
        """Count a call."""
        self._turn()
        self._now = self._now[0] + 1, self._now[1] + seconds

    def last(self) -> tuple[int, float]:
        """Calls and seconds of one to two minutes."""
        self._turn()
        return self._now[0] + self._before[0], self._now[1] + self._before[1]

    def _turn(self) -> None:
        passed = time.monotonic() - self._began
        if passed >= REMEMBERED:
            self._before = self._now if passed < 2 * REMEMBERED else (0, 0.0)
            self._now = (0, 0.0)
            self._began = time.monotonic()


class CircuitBreaker:
    """Counts what a plugin costs and how it fails. While it is open, a stage is left out and a sink is not called.

    With `opens = False` it never opens: leaving the plugin out would cost more than waiting for it.
    """

    def __init__(self, name: str, *, opens: bool = True) -> None:
        self.name = name
        self.unavailable = ""
        """The hook that raised `RetryableError` last, until it works again."""
        self._opens = opens
        self._since = time.monotonic()
        self.calls = 0
        self.seconds = 0.0
        self.loop_seconds = 0.0
        self.errors = 0
        self.slow_calls = 0
        self.stalls = 0
        self.last_error = ""
        self.failures_in_a_row = 0
        self._retry_at = 0.0
        self._minute = _Minute()
        self._stalled = False
        self._stalled_at = self._failed_at = time.monotonic() - REMEMBERED

    @property
    def is_open(self) -> bool:
        """Whether the plugin is left out now."""
        return self._opens and self.failures_in_a_row >= FAILURES_TO_OPEN and time.monotonic() < self._retry_at

    @property
    def seconds_left(self) -> float:
        """Seconds until an open circuit lets the next call through; 0 when it is closed."""
        return max(0.0, self._retry_at - time.monotonic()) if self.is_open else 0.0

    @property
    def complaint(self) -> str:
        """What `/health` says of the plugin; empty when it is well."""
        if self.unavailable:
            return f"{self.unavailable}: cannot run now; records wait for it: {self.last_error}"
        if self.is_open:
            return f"left out after errors: {self.last_error}"
        if time.monotonic() - self._failed_at < REMEMBERED:
            return f"failed, {self.errors} times since the start: {self.last_error}"
        if time.monotonic() - self._stalled_at < REMEMBERED:
            return f"held up the event loop, {self.stalls} times since the start"
        return ""

    @property
    def remark(self) -> str:
        """What `/health` says of a stage that works, and slowly; empty when it does not take long."""
        calls, seconds = self._minute.last()
        if calls < SLOW_CALLS or seconds / calls <= SLOW_MEAN:
            return ""
        share = self.loop_seconds / max(1e-9, time.monotonic() - self._since)
        return (
            f"slow: {1000 * seconds / calls:.0f} ms a call on average of the last minute; expected at most "
            f"{1000 * SLOW_MEAN:.0f} ms; {share:.0%} of the event loop's time since the start"
        )

    def succeeded(self, seconds: float) -> None:
        """Note a call that returned."""
        self._minute.add(seconds)
        self.calls += 1
        self.seconds += seconds
        self.loop_seconds += seconds
        if seconds > SLOW_CALL:
            self.held(seconds)
        if self.failures_in_a_row or self.unavailable:
            self.recovered()

    def recovered(self) -> None:
        """End the row of failures, unless the plugin has just held up the loop."""
        self.unavailable = ""
        if self._stalled:
            self._stalled = False
        else:
            self.failures_in_a_row = 0

    def failed(self, seconds: float, what: str) -> None:
        """Note a call that raised, or left what is wrong; see `wrong`."""
        self._minute.add(seconds)
        self.calls += 1
        self.seconds += seconds
        self.loop_seconds += seconds
        if seconds > SLOW_CALL:
            self.held(seconds)
        self._stalled = False
        self.count_failure(what)

    def count_failure(self, what: str) -> None:
        """Note a failure. `what` goes to the log, so it must not hold a message or a value, nor an error's text."""
        self.errors += 1
        self._failed_at = time.monotonic()
        self._count("plugin failed", what)

    def stalled(self, seconds: float) -> None:
        """Note that the plugin has held up the event loop, for `seconds` so far. May be called from any thread."""
        self.stalls += 1
        self._stalled = True
        self._stalled_at = time.monotonic()
        self._count("plugin holds up the event loop", f"on the event loop for {seconds:.1f} s and more")

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows."""
        return {
            "calls": self.calls,
            "seconds": round(self.seconds, 6),
            "loop_share": round(self.loop_seconds / max(1e-9, time.monotonic() - self._since), 6),
            "errors": self.errors,
            "slow_calls": self.slow_calls,
            "stalls": self.stalls,
            "circuit": "open" if self.is_open else "closed",
            "last_error": self.last_error or None,
        }

    def held(self, seconds: float) -> None:
        """Note how long one step of the plugin kept the loop, when that was long.

        A stall is usually seen by the watch while it lasts. Code that keeps the interpreter's lock, such
        as a regular expression, stops the watch too: then it is counted here, when it ends.
        """
        self.slow_calls += 1
        log.warning("plugin held up the service", extra={"plugin": self.name, "seconds": round(seconds, 3)})
        if seconds > STALL and not self._stalled:
            self.stalled(seconds)

    def _count(self, event: str, what: str) -> None:
        self.last_error = what
        self.failures_in_a_row += 1
        log.warning(event, extra={"plugin": self.name, "error": what})
        if self._opens and self.failures_in_a_row >= FAILURES_TO_OPEN:
            self._retry_at = time.monotonic() + PAUSE
            log.warning("plugin left out for a while", extra={"plugin": self.name, "seconds": PAUSE})

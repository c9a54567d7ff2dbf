"""What every listener has: an address, counters, and what it says of its health."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from log_aggregator.listeners.addresses import Endpoint

FINISH = 3.0
"""Seconds that handlers get, when a listener stops, to take in what was received."""

REMEMBERED = 60.0
"""Seconds for which `/health` shows an error; a refusal is logged once in this time."""

log = logging.getLogger(__name__)


Describe = Callable[[BaseException], str]
"""Names an error without its text, which may hold log text."""


def type_of(error: BaseException) -> str:
    """The error's type."""
    return type(error).__name__


class Listener:
    """A socket that a plugin listens on. `port` is the one that the system chose when 0 was asked for."""

    def __init__(self, plugin: str, kind: str, endpoint: Endpoint, port: int, describe: Describe = type_of) -> None:
        """`describe` names an error of the handler without its text."""
        self.name = f"{plugin} {kind} {endpoint._replace(port=port)}"
        self.port = port
        self.plugin = plugin
        self.counts: Counter[str] = Counter()
        self.last_error = ""
        self._describe = describe
        self._failed_at = time.monotonic() - REMEMBERED
        self._refused_at = time.monotonic() - REMEMBERED

    def start(self) -> None:
        """Take in what comes: logs may be accepted from now on."""

    async def stop(self) -> None:
        """Take in no more; what was received is worked on for `FINISH` seconds at most."""

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows."""
        return {**self.counts, "last_error": self.last_error or None}

    async def complaint(self) -> str | None:
        """What `/health` says: `None` when all is well."""
        if time.monotonic() - self._failed_at < REMEMBERED:
            return f"its handler failed, {self.counts['errors']} times since the start: {self.last_error}"
        return None

    def note_failure(self, error: BaseException) -> None:
        """Count an exception of the plugin's handler."""
        self.counts["errors"] += 1
        self.last_error = self._describe(error)
        self._failed_at = time.monotonic()
        log.warning("handler of a listener failed", extra={"listener": self.name, "error": self.last_error})

    def note_refusal(self, why: str) -> None:
        """Count what a limit kept out, and log it now and then."""
        self.counts[f"refused_{why}"] += 1
        if time.monotonic() - self._refused_at >= REMEMBERED:
            self._refused_at = time.monotonic()
            log.warning("listener refuses clients", extra={"listener": self.name, "limit": why})


async def finish(tasks: set[asyncio.Task[Any]], *, at_once: bool = False) -> None:
    """Wait `FINISH` seconds for tasks that are about to end, and cancel those that do not."""
    if tasks and not at_once:
        await asyncio.wait(tasks, timeout=FINISH)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

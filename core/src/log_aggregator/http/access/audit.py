"""The audit log: administrative calls and refused API keys, as lines of the logger `log_aggregator.audit`."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

PAUSE = 10.0
"""Seconds between two lines about refused keys of one client; what came in between is counted."""

_MOST = 4096

log = logging.getLogger("log_aggregator.audit")


class Audit:
    """Writes the lines. Neither keys nor bodies are in them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: OrderedDict[str, tuple[float, int]] = OrderedDict()  # client → (last line, refused since)

    def called(self, key: str, client: str, call: str, status: int) -> None:
        """An administrative call was answered."""
        log.info("administrative call", extra={"key": key, "client": client, "call": call, "status": status})

    def refused(self, key: str, client: str, reason: str) -> None:
        """An API key was refused; `key` is its name where it has one that is known."""
        now = self._clock()
        last, more = self._refused.pop(client, (None, 0))
        if last is not None and now - last < PAUSE:
            self._refused[client] = last, more + 1
            return
        self._refused[client] = now, 0
        if len(self._refused) > _MOST:
            self._refused.popitem(last=False)
        log.warning("API key refused", extra={"key": key, "client": client, "reason": reason, "more": more})

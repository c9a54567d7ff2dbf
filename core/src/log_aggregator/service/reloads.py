"""How often this process was told to read its configuration again, and what became of it."""

from __future__ import annotations

import os
import signal
from typing import Any

from log_aggregator.service.totals import Totals


class Reloads:
    """Counts over all pipelines of a process. `error` is why the latest one failed; empty when it did not.

    `totals` are those of the pipelines that ended.
    """

    def __init__(self) -> None:
        self.totals = Totals()
        self.succeeded = self.failed = 0
        self.error = ""

    def begun(self) -> None:
        """The configuration is right; its pipeline is to start."""
        self.error = ""

    def done(self) -> None:
        """A pipeline runs again: the new one, unless that was refused."""
        if not self.error:
            self.succeeded += 1

    def refused(self, error: str) -> None:
        """The old pipeline goes on."""
        self.failed += 1
        self.error = error

    def stats(self) -> dict[str, Any]:
        """The object `reloads` in `GET /stats`."""
        return {"succeeded": self.succeeded, "failed": self.failed, "last_error": self.error or None}


def ask_for_reload(workers: int) -> None:
    """Reload as SIGHUP does: this process, or all workers through their parent."""
    os.kill(os.getppid() if workers > 1 else os.getpid(), signal.SIGHUP)

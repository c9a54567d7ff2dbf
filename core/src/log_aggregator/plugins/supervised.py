"""A background task of a plugin: started when logs may be accepted, restarted when it fails, ended before the drain."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from log_aggregator.errors import OverloadedError, RetryableError
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0

STEADY = 60.0
"""Seconds after which a task that runs is well again, and its next pause is short."""

END_DEADLINE = 5.0
"""Seconds that a cancelled task may take to end."""

log = logging.getLogger(__name__)


class SupervisedTask:
    """Runs a plugin's function. One that returns is done; one that raises is called again after a pause."""

    def __init__(self, plugin: str, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self.name = f"{plugin}: {name}"
        self._plugin = plugin
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._package = package_of(work)
        self._started = time.monotonic()
        self._pause = 0.0
        self._pausing = False
        self.failures = 0
        self.last_error = ""

    def start(self) -> None:
        """Call the function from now on."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Cancel the task and wait until it has ended, for a while."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        _, running = await asyncio.wait({task}, timeout=END_DEADLINE)
        if running:
            log.warning("task of a plugin does not end when it is cancelled", extra={"task": self.name})

    async def complaint(self) -> str | None:
        """What `/health` says: `None` when all is well."""
        if self._pausing:
            return f"failed, {self.failures} times since the start, and is started again: {self.last_error}"
        if self._pause and time.monotonic() - self._started < STEADY:
            return f"was started again after it failed, {self.failures} times since the start: {self.last_error}"
        return None

    async def _run(self) -> None:
        while True:
            self._started = time.monotonic()
            try:
                await self._work()
            except (Exception, SystemExit, asyncio.CancelledError) as error:  # a plugin may raise anything
                if _is_cancelled():
                    raise
                self._note(error)
                self._pausing = True
                await asyncio.sleep(self._next_pause(error))
                self._pausing = False
            else:
                self._pause = 0.0
                return

    def _note(self, error: BaseException) -> None:
        self.failures += 1
        self.last_error = where_raised(error, self._package)
        told = {"plugin": self._plugin, "task": self.name, "error": self.last_error}
        log.warning("task of a plugin failed and is started again", extra=told)

    def _next_pause(self, error: BaseException) -> float:
        """Each pause is twice the one before, unless the task ran steadily since; or what the error asks for."""
        if time.monotonic() - self._started >= STEADY:
            self._pause = 0.0
        self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * self._pause))
        asked = error.retry_after if isinstance(error, RetryableError | OverloadedError) else None
        return random.uniform(self._pause / 2, self._pause) if asked is None else asked  # noqa: S311  jitter


def _is_cancelled() -> bool:
    """Whether somebody asked this task to end; a plugin may raise `CancelledError` by itself, too."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

"""When the next commit begins: at once for few, and for many when all that send are there again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LONGEST = 0.004
"""Seconds from the beginning of one commit to that of the next, unless requests come in one after the other."""

LONGEST_AT_ALL = 0.02
"""Seconds from the beginning of one commit to that of the next at most, while anything waits."""

QUIET = 2
"""Turns of the event loop in which nobody arrived after which nobody else is about to: one receives, one decodes."""

MANY = 8
"""Requests under way from which on a commit waits for others: the more share one, the less each costs."""


class CommitScheduler:
    """Calls `commit` when it is time for it.

    Clients that send one request after the other are back soon after they were answered. So those that the last
    commit answered and those that waited by then are expected for the next one, but not for long: what passes
    is to be the time that it takes to receive them, not to wait for them.
    """

    def __init__(self, commit: Callable[[], None]) -> None:
        """Call it on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._commit = commit
        self._planned: asyncio.Handle | None = None
        self._waiting = 0
        self._shared = 0
        self._expected = 0
        self._began = 0.0
        self.committing = False

    def arrived(self) -> None:
        """Note that a request waits for a commit."""
        self._waiting += 1
        if self.committing:
            return
        if self._planned is None:
            self._plan()
        elif self._waiting == self._expected:
            self._planned.cancel()
            self._planned = self._loop.call_soon(self._commit)

    @property
    def is_far(self) -> bool:
        """Whether the next commit comes later than right after the request that is about to arrive."""
        return self.committing or self._waiting + 1 < self._expected >= MANY

    def began(self, *, writing: bool) -> None:
        """Note that all that waited is worked on. With `writing`, `ended` follows."""
        self._planned = None
        self.committing = writing
        self._shared, self._waiting = self._waiting, 0
        self._began = self._loop.time()

    def ended(self) -> None:
        """Note that the commit is done. The next one is planned, if anything waits."""
        self.committing = False
        self._expected = self._shared + self._waiting
        if self._waiting:
            self._plan()

    def _plan(self) -> None:
        if self._expected >= MANY and self._waiting < self._expected:
            self._planned = self._loop.call_at(self._began + LONGEST, self._look, 0, QUIET)
        else:
            # Not at once: whatever else has arrived by now comes along.
            self._planned = self._loop.call_soon(self._commit)

    def _look(self, arrived: int, turns: int) -> None:
        """Commit when nobody has arrived for some turns of the loop, or else look again in the next one."""
        if self._waiting > arrived:
            arrived, turns = self._waiting, QUIET
        if turns and self._loop.time() < self._began + LONGEST_AT_ALL:
            self._planned = self._loop.call_soon(self._look, arrived, turns - 1)
        else:
            self._commit()

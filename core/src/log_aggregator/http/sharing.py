"""How many connections each worker has, where all of them see it, and whose turn it is to take the next one."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

from log_aggregator.config.place import Place

PATIENCE = 2.0
"""Seconds for which connections wait for a worker that has fewer than the others and takes none: starting, or stuck."""

SHORT_LIVED = 64
"""A worker may have one connection more than another for each so many that it has lost within the last two seconds.

Connections that come and go even out by themselves; to let each wait for a certain worker would only cost time.
"""

WINDOW = 1.0
"""Seconds for which lost connections are counted together."""

ABSENT = -1
"""In place of a number of connections: this worker is being replaced, or stops."""


class Counts:
    """A number for each worker of a supervisor, in memory that they share; all begin at 0.

    Each has one writer at a time: its worker, and the supervisor when that has died. Raises `OSError` when the
    supervisor's directory cannot be written.
    """

    def __init__(self, place: Place) -> None:
        self.total = place.total
        descriptor = os.open(Path(place.sockets) / "connections", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = place.total * 4
            os.ftruncate(descriptor, size)
            self._numbers = memoryview(mmap.mmap(descriptor, size)).cast("i")
        finally:
            os.close(descriptor)

    def __getitem__(self, number: int) -> int:
        return self._numbers[number]

    def __setitem__(self, number: int, count: int) -> None:
        self._numbers[number] = count


class Turns:
    """Whether a worker takes the next connection: while no other one, that takes any, has fewer."""

    def __init__(self, counts: Counts, number: int) -> None:
        self._counts, self._number = counts, number
        self._others = [other for other in range(counts.total) if other != number]
        self._waits_for: dict[int, int] = {}  # workers that have fewer, and how many
        self._since = 0.0
        self._given_up: dict[int, int] = {}  # workers that let others wait, and how many they had then
        self._lost = self._lost_before = 0
        self._window = time.monotonic()

    def have(self, connections: int) -> None:
        """Tell the others how many connections this worker has; `ABSENT`: it takes none any more."""
        self._counts[self._number] = connections

    def lost(self) -> None:
        """Count a connection that this worker had."""
        self._turn_window(time.monotonic())
        self._lost += 1

    def mine(self) -> bool:
        """Whether to take the connection that waits; asked again and again until somebody has taken it."""
        now = time.monotonic()
        behind = self._behind(now)
        if not behind:
            self._waits_for = {}
            return True
        if behind != self._waits_for:
            self._waits_for, self._since = behind, now
        if now - self._since < PATIENCE:
            return False
        self._given_up |= behind
        return True

    def _behind(self, now: float) -> dict[int, int]:
        """The workers that have too few connections beside this one; without those given up that took none since."""
        self._turn_window(now)
        enough = self._counts[self._number] - (self._lost + self._lost_before) // SHORT_LIVED
        counts = {other: self._counts[other] for other in self._others}
        self._given_up = {other: count for other, count in self._given_up.items() if counts[other] == count}
        return {n: count for n, count in counts.items() if ABSENT < count < enough and n not in self._given_up}

    def _turn_window(self, now: float) -> None:
        passed = now - self._window
        if passed >= WINDOW:
            self._lost_before, self._lost = self._lost if passed < 2 * WINDOW else 0, 0
            self._window = now

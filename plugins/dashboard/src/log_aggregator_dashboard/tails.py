"""The open tails, and which one makes room when there are as many as may be."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

from aiohttp import web

from log_aggregator_dashboard.tail import Watcher

STUCK = 1.0
"""Seconds for which a browser takes nothing until its tail may be closed for another one."""


class Tail:
    """One open tail: what it shows, the client that opened it, and its connection."""

    def __init__(self, watcher: Watcher, client: str, transport: asyncio.Transport) -> None:
        self.watcher = watcher
        self.client = client
        self._transport = transport
        self._writing_since: float | None = None

    async def write(self, response: web.StreamResponse, data: bytes) -> None:
        """Send, and wait while the browser takes nothing; the service's listener ends a wait that is too long."""
        self._writing_since = time.monotonic()
        await response.write(data)
        self._writing_since = None

    @property
    def stuck(self) -> float:
        """Seconds for which the browser has taken nothing."""
        return 0.0 if self._writing_since is None else time.monotonic() - self._writing_since

    def abort(self) -> None:
        """Close the connection at once: what waits would never be read."""
        self._transport.abort()


class Tails:
    """At most `most` tails, in the order in which they were opened."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[Tail, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Tail]:
        return iter(self._open)

    def open(self, tail: Tail) -> bool:
        """Take a tail; `False` when there is no room and none can be made."""
        if len(self._open) >= self._most:
            given_up = self._to_close(tail.client)
            if given_up is None:
                return False
            self.close(given_up)
            given_up.abort()
        self._open[tail] = None
        return True

    def close(self, tail: Tail) -> None:
        """Forget a tail."""
        self._open.pop(tail, None)

    def _to_close(self, client: str) -> Tail | None:
        """The tail that is stuck the longest; else the oldest one of a client that has two more than this one."""
        stuck = max(self._open, key=lambda tail: tail.stuck)
        if stuck.stuck >= STUCK:
            return stuck
        counts = Counter(tail.client for tail in self._open)
        greedy, most = counts.most_common(1)[0]
        if most < counts[client] + 2:
            return None
        return next(tail for tail in self._open if tail.client == greedy)

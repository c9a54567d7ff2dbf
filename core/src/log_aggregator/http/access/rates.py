"""How many logs a second one client or one source may send: token buckets in bounded memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST = 65_536
"""Buckets that are remembered, about 10 MiB. With more, the one that was used longest ago is forgotten.

A forgotten bucket is full again. Whoever sends much is never the one that was used longest ago, so a million
sources cannot make the service forget the loud one.
"""


class Rate:
    """A rate for each name, in logs a second, with `burst` seconds' worth at once.

    A name may send while its bucket is not empty, even more than is in it: then it owes, and waits until the debt
    is paid. So a batch larger than the bucket is slowed down, not refused for ever.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause = 1.0 / rate  # seconds that one log costs
        self._burst = burst
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()  # name → when its bucket is full again

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, name: str) -> float:
        """Seconds until this name may send again; 0 when it may now."""
        full_at = self._full_at.get(name)
        return 0.0 if full_at is None else max(0.0, full_at - self._burst - self._clock())

    def charge(self, name: str, logs: int) -> None:
        """Take logs from the bucket."""
        now = self._clock()
        full_at = max(self._full_at.pop(name, now), now)
        self._full_at[name] = full_at + logs * self._pause  # at the end: the first is the longest unused
        if len(self._full_at) > MOST:
            self._full_at.popitem(last=False)

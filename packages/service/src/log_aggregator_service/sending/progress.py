"""How far a long send has come, on one line of the terminal. Silent where nobody looks."""

from __future__ import annotations

import time
from typing import TextIO

_EVERY = 0.1
_WIDTH = 24


class Progress:
    """A bar when the total is known, a counter when it is not. Writes only to a terminal."""

    def __init__(self, out: TextIO, total: int | None) -> None:
        """`total` is what `show` counts up to, in any unit."""
        self._out = out
        self._total = total
        self._visible = out.isatty()
        self._started = time.monotonic()
        self._next = 0.0

    def show(self, done: int, logs: int) -> None:
        """`done` of the total is behind us, which was `logs` logs."""
        now = time.monotonic()
        if not self._visible or now < self._next:
            return
        self._next = now + _EVERY
        rate = logs / max(now - self._started, 1e-3)
        self._out.write(f"\r\x1b[K{self._bar(done)}{logs:,} logs  {rate:,.0f}/s")
        self._out.flush()

    def close(self) -> None:
        """Clear the line for what is printed next."""
        if self._visible:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _bar(self, done: int) -> str:
        if not self._total:
            return ""
        share = min(done / self._total, 1.0)
        full = round(share * _WIDTH)
        return f"[{'#' * full}{'.' * (_WIDTH - full)}] {share:4.0%}  "

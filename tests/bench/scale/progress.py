"""A line that says how far the run is; where it is not read on a terminal, a line for each step."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

WIDTH = 30


class Progress:
    """Shows steps on the terminal. `show` prints what stays."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._done = 0
        self._began = time.monotonic()
        self._watched = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line("")

    def tick(self, what: str) -> None:
        """Say that the next step begins."""
        self.note(what)
        self._done += 1

    def note(self, what: str) -> None:
        """Say what is being done."""
        filled = WIDTH * self._done // max(1, self._steps)
        minutes = (time.monotonic() - self._began) / 60
        bar = "#" * filled + "." * (WIDTH - filled)
        self._line(f"[{bar}] {self._done}/{self._steps}, {minutes:.1f} min: {what}")

    def show(self, text: str) -> None:
        """Print text above the line."""
        self._line("")
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def _line(self, text: str) -> None:
        if self._watched:
            sys.stderr.write(f"\r\x1b[K{text[:110]}")
        elif text:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

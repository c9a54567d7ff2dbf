"""How far a long measurement is, on stderr: one line that is rewritten on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time

_BAR = 30
_EVERY = 10.0
"""Seconds between lines where nobody watches a terminal."""


class Progress:
    """Says what is measured at the moment."""

    def __init__(self) -> None:
        self.of = ""
        """What comes before each text: which part of a longer run this is."""

        self._said = ""
        self._at = 0.0

    def step(self, text: str) -> None:
        """A new part of the work begins."""
        text = self.of + text
        if sys.stderr.isatty():
            self._show(text)
        else:
            print(f"  {text}", file=sys.stderr, flush=True)
            self._at = time.monotonic()

    def bar(self, text: str, done: int, of: int) -> None:
        """So many of so many are done."""
        share = min(1.0, done / max(1, of))
        line = f"{self.of}{text} [{'#' * int(share * _BAR):<{_BAR}}] {share:4.0%}  {done:,} of {of:,}"
        if sys.stderr.isatty():
            self._show(line)
        elif time.monotonic() - self._at > _EVERY:
            print(f"  {line}", file=sys.stderr, flush=True)
            self._at = time.monotonic()

    def show(self, text: str) -> None:
        """Lines that stay."""
        self.clear()
        print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave a clean line for the table."""
        if self._said:
            self._show("")
            print("\r", end="", file=sys.stderr, flush=True)

    def _show(self, text: str) -> None:
        print(f"\r{text:<{len(self._said)}}", end="", file=sys.stderr, flush=True)
        self._said = text

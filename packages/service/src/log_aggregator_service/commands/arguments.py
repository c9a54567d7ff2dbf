"""What counts as a number on the command line. Imports nothing that costs time."""

from __future__ import annotations

import argparse
import contextlib


def positive(text: str) -> float:
    """A number above 0, for argparse."""
    with contextlib.suppress(ValueError):
        value = float(text)
        if 0 < value < float("inf"):
            return value
    raise argparse.ArgumentTypeError(f"{text!r}: expected a number above 0")


def positive_int(text: str) -> int:
    """A whole number above 0, for argparse."""
    with contextlib.suppress(ValueError):
        value = int(text)
        if value > 0:
            return value
    raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number above 0")

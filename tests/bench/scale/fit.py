"""How work grows with size: the exponent of a power law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import linear_regression

LAST = 3
"""How many sizes, the largest, decide: what a request costs at least hides growth at the small ones."""

LINEAR = 1.1
"""Exponents up to here count as linear: caches grow cold as work grows, and machines are noisy."""

QUICK_LINEAR = 1.4
"""The same for the quick mode, whose sizes are near each other and whose measurements are short."""


def exponent(sizes: Sequence[float], work: Sequence[float]) -> float:
    """The slope of the least-squares line through (log size, log work); sizes of 0 are left out."""
    points = [(math.log(size), math.log(max(cost, 1e-9))) for size, cost in zip(sizes, work, strict=True) if size > 0]
    return linear_regression(*zip(*points[-LAST:], strict=True)).slope

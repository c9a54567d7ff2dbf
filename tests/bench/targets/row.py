"""What is wanted beside what was measured, and the few options of a measurement."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any, NamedTuple

SERVER_CORE, LOAD_CORE = 0, 1


class Options(NamedTuple):
    """How much is measured. `seconds` and `rounds` are of each run; the others count logs and starts."""

    seconds: float
    rounds: int
    logs: int
    outage_logs: int
    starts: int


class Row(NamedTuple):
    """One line of the table; `figures` are all that stands behind it, for the JSON.

    `met` is `None` where nothing has to be reached: a line to compare with.
    """

    what: str
    wanted: str
    measured: str
    met: bool | None
    figures: dict[str, Any]


class Spread(NamedTuple):
    """The middle of some figures, and how far they lie apart."""

    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.lowest:.2f} to {self.highest:.2f})"


def spread(values: Iterable[float]) -> Spread:
    """Of at least one value."""
    ordered = sorted(values)
    return Spread(statistics.median(ordered), ordered[0], ordered[-1])

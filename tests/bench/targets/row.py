"""What is wanted beside what was measured, and the few options of a measurement."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

SERVER_CORE, LOAD_CORE = 0, 1


class Options(NamedTuple):
    """How much is measured. `seconds` and `rounds` are of each run; the others count logs and starts."""

    seconds: float = 5.0
    rounds: int = 5
    logs: int = 10_000_000
    outage_logs: int = 1_000_000
    starts: int = 5


class Row(NamedTuple):
    """One line of the table; `figures` are all that stands behind it, for the JSON.

    `met` is `None` where nothing has to be reached: a line to compare with; then `wanted` may be empty.
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


def shown(rows: Iterable[Row]) -> str:
    """What was measured, in lines, each with what is wanted and the verdict where there is one."""
    text = []
    for row in rows:
        text.append(f"  {row.what}")
        if row.wanted:
            text.append(f"    wanted   {row.wanted}")
        text.append(f"    measured {row.measured}   {_verdict(row)}".rstrip())
    return "\n".join(text)


def summary(rows: Sequence[Row]) -> str:
    """A line for each row: verdict, what, wanted, measured."""
    wide = max((len(row.what) for row in rows), default=0)
    wanted = max((len(row.wanted) for row in rows), default=0)
    return "\n".join(f"{_verdict(row):<13}{row.what:<{wide}}  {row.wanted:<{wanted}}  {row.measured}" for row in rows)


def _verdict(row: Row) -> str:
    return "" if row.met is None else "reached" if row.met else "FALLS SHORT"

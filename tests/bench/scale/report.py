"""All figures of one run, as they are kept in a file."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import msgspec

from tests.bench.scale.backlog import Outage
from tests.bench.scale.fit import LINEAR
from tests.bench.scale.measure import Result


class Report(msgspec.Struct):
    """The axes measured, the outages played, and on what. Exponents up to `limit` count as linear.

    `failed` says what could not be measured, and why.
    """

    repeats: int
    limit: float = LINEAR
    results: list[Result] = []
    outages: list[Outage] = []
    failed: list[str] = []
    python: str = platform.python_version()
    machine: str = f"{platform.machine()} with {os.cpu_count()} cores"

    @property
    def holds(self) -> bool:
        """Whether everything was measured, nothing is worse than linear, and every outage was stored exactly."""
        complete = not self.failed and all(outage.exact for outage in self.outages)
        return complete and all(
            result.exponent is not None and result.exponent <= self.limit for result in self.results
        )


def save(path: Path, report: Report) -> None:
    """Write a report as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))


def load(path: Path) -> Report:
    """Read a report back."""
    return msgspec.json.decode(path.read_bytes(), type=Report)

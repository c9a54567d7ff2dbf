"""Totals since the start: logs by level, errors by source."""

from __future__ import annotations

from log_aggregator.model.record import ERROR_LEVELS

MAX_LEVELS = 50
"""Levels that are counted one by one; clients may send any. Later ones are counted together as `(other)`."""

MAX_SOURCES = 1000
"""Sources whose errors are counted one by one; those of later ones are counted together as `(other)`."""


class Tally:
    """Totals since the start, counted a group of records at a time."""

    def __init__(self) -> None:
        self.logs = 0
        self.by_level: dict[str, int] = {}
        self.errors_by_source: dict[str, int] = {}

    def count(self, level: str, source: str, logs: int) -> None:
        """Count logs of one level and source."""
        self.logs += logs
        counted = level if level in self.by_level or len(self.by_level) < MAX_LEVELS else "(other)"
        self.by_level[counted] = self.by_level.get(counted, 0) + logs
        if level in ERROR_LEVELS:
            if source not in self.errors_by_source and len(self.errors_by_source) >= MAX_SOURCES:
                source = "(other)"
            self.errors_by_source[source] = self.errors_by_source.get(source, 0) + logs

    @property
    def errors(self) -> int:
        """Logs of an error level."""
        return sum(self.errors_by_source.values())

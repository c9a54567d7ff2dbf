"""Reading the embedded store back: the `Store` protocol over a connection of its own."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import msgspec

from log_aggregator.errors import RetryableError
from log_aggregator.store import (
    AnomalyQuery,
    PatternDetail,
    PatternPage,
    PatternQuery,
    Series,
    SeriesQuery,
    StoreHealth,
)
from log_aggregator.storekit import Questions
from log_aggregator_sqlite.database import Database

_ANOMALY = (
    "id", "kind", "state", "tier", "pattern_id", "pattern", "level", "source", "started", "updated", "score",
    "revision", "resolved", "details",
)  # fmt: skip


class SqliteDialect:
    """The SQL of SQLite where databases differ: times are integers, lists are JSON."""

    def moment(self, parameter: str) -> str:
        """Times are microseconds already."""
        return parameter

    def micros(self, column: str) -> str:
        """Times are microseconds already."""
        return column

    def contains(self, column: str, parameter: str) -> str:
        """`folded` is Python's casefold: SQLite's own LIKE knows ASCII only."""
        return f"instr(folded({column}), folded({parameter})) > 0"

    def among(self, column: str, parameter: str) -> str:
        """The list comes as JSON text."""
        return f"{column} IN (SELECT value FROM json_each({parameter}))"  # noqa: S608  a column and a parameter number

    def list_value(self, values: list[str]) -> str:
        """JSON text. A lone surrogate is in no row, so it may become another character."""
        return json.dumps(values)

    def each_tag(self) -> str:
        """The entries of the JSON object."""
        return "JOIN json_each(t.tags) AS tag"


class SqliteStore:
    """Answers from the file. Reads do not wait for writes, and see whole flushes only."""

    def __init__(self, path: Path, database: Database, max_samples: int) -> None:
        self._path = path
        self._database = database
        self._questions = Questions(SqliteDialect(), self._fetch, max_samples)

    async def patterns(self, query: PatternQuery) -> PatternPage:
        """The patterns that match, in the asked order."""
        return await self._questions.patterns(query)

    async def pattern(self, pattern_id: str) -> PatternDetail | None:
        """One pattern by its id or an earlier one; `None` when there is none."""
        return await self._questions.pattern(pattern_id)

    async def series(self, query: SeriesQuery) -> list[Series]:
        """Counts over time."""
        return await self._questions.series(query)

    async def anomalies(self, query: AnomalyQuery) -> list[dict[str, Any]]:
        """Anomalies, newest first."""
        rows = await self._questions.anomalies(query, ", ".join(_ANOMALY))
        found = [dict(zip(_ANOMALY, row, strict=True)) for row in rows]
        return [anomaly | {"details": msgspec.json.decode(anomaly["details"])} for anomaly in found]

    async def health(self) -> StoreHealth:
        """Whether the file can be read, its size, and what waits in quarantine."""
        started = time.perf_counter()
        try:
            set_aside = await self._fetch("SELECT count(*), coalesce(sum(logs), 0) FROM log_quarantine", [])
            stored = await self._fetch("SELECT max(sealed) FROM flush_progress", [])
            size = self._path.stat().st_size
        except (RetryableError, OSError) as error:
            return StoreHealth(reachable=False, detail=str(error), figures={"engine": "SQLite"})
        rows, logs = set_aside[0]
        return StoreHealth(
            reachable=True,
            detail=f"{logs} logs in quarantine: see `log-aggregator sqlite quarantine`" if rows else "",
            latency_ms=round((time.perf_counter() - started) * 1000, 3),
            figures={
                "engine": f"SQLite {sqlite3.sqlite_version}",
                "file": str(self._path),
                "bytes": size,
                "quarantined_logs": logs,
                "stored_until": stored[0][0],
            },
        )

    async def _fetch(self, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
        named = {str(number): value for number, value in enumerate(values, 1)}
        return await self._database.run(lambda connection: connection.execute(sql, named).fetchall())

"""Reading the embedded store back: the `Store` protocol over a connection of its own."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from log_aggregator.errors import RetryableError
from log_aggregator.model.values import MOST
from log_aggregator.store import StoreHealth
from log_aggregator.storekit import OnCallQuestions, Statement
from log_aggregator_sqlite.config import SqliteConfig
from log_aggregator_sqlite.database import Database, transaction
from log_aggregator_sqlite.deflating import text_of
from log_aggregator_sqlite.maintenance import days_kept


class SqliteDialect:
    """The SQL of SQLite where databases differ: times are integers, lists are JSON."""

    def moment(self, parameter: str) -> str:
        """Times are microseconds already."""
        return parameter

    def micros(self, column: str) -> str:
        """Times are microseconds already."""
        return column

    def json(self, column: str) -> str:
        """As bytes: a text need not be UTF-8, nor need the value be a text."""
        return f"CAST({text_of(column)} AS BLOB)"

    def contains(self, column: str, parameter: str) -> str:
        """`folded` is Python's casefold: SQLite's own LIKE knows ASCII only."""
        return f"instr(folded({column}), folded({parameter})) > 0"

    def holds(self, column: str, parameter: str) -> str:
        """SQLite's own `lower` knows ASCII only, and is ten times faster than a function of ours."""
        return f"instr(lower(CAST({text_of(column)} AS TEXT)), lower({parameter})) > 0"

    def has_value(self, column: str, key: str, value: str) -> str:
        """The entries of the key's JSON array; CASE keeps the functions away from what they cannot take."""
        column = text_of(column)
        summary = f"CASE WHEN json_valid({column}) AND json_type({column}) = 'object' THEN {column} END"
        entry = "CASE WHEN entry.type = 'object' THEN entry.value END"
        one = "CASE WHEN one.type = 'object' THEN json_extract(one.value, '$.value') END"
        return (
            f"EXISTS (SELECT 1 FROM json_each({summary}) AS entry, json_each({entry}, '$.values') AS one "  # noqa: S608  columns and parameter numbers
            f"WHERE entry.key = {key} AND {one} = {value})"
        )

    def among(self, column: str, parameter: str) -> str:
        """The list comes as JSON text."""
        return f"{column} IN (SELECT value FROM json_each({parameter}))"  # noqa: S608  a column and a parameter number

    def list_value(self, values: list[str]) -> str:
        """JSON text. A lone surrogate is in no row, so it may become another character."""
        return json.dumps(values)

    def unindexed(self, column: str) -> str:
        """SQLite has no statistics: it takes a level for rarer than a range of time. `+` makes it an expression."""
        return f"+{column}"

    def each_tag(self) -> str:
        """The entries of the JSON object."""
        tags = "CASE WHEN json_valid(t.tags) AND json_type(t.tags) = 'object' THEN t.tags END"
        return f"JOIN json_each({tags}) AS tag ON tag.type = 'integer' AND tag.value BETWEEN 1 AND {MOST}"

    def each_minute(self) -> str:
        """The entries of the JSON array."""
        minutes = "CASE WHEN json_valid(t.minutes) AND json_type(t.minutes) = 'array' THEN t.minutes END"
        counts = f"minute.type = 'integer' AND minute.value BETWEEN 1 AND {MOST}"
        return f"JOIN json_each({minutes}) AS minute ON {counts}"

    def hours(self) -> str:
        """The table, which triggers keep."""
        return "pattern_hours"

    def totals(self) -> str:
        """The table, which triggers keep."""
        return "pattern_totals"

    def levels(self) -> str:
        """The table, which triggers keep."""
        return "pattern_levels"

    def source_hours(self) -> str:
        """The table, which triggers keep."""
        return "source_hours"

    def each_id(self, parameter: str) -> str:
        """The list comes as JSON text."""
        return f"(SELECT value AS id FROM json_each({parameter}))"  # noqa: S608  a parameter number

    def any_of(self, column: str, query: str) -> str:
        """A correlated list."""
        return f"{column} IN ({query})"


class SqliteStore(OnCallQuestions):
    """Answers from the file. Reads do not wait for writes, and see whole flushes only.

    Marks and triage are written over `writing`, the connection of the sink.
    """

    def __init__(
        self, path: Path, database: Database, writing: Database, max_samples: int, config: SqliteConfig
    ) -> None:
        super().__init__(SqliteDialect(), self._query, max_samples, self._write)
        self._config = config
        self._path = path
        self._database = database
        self._writing = writing

    async def health(self) -> StoreHealth:
        """Whether the file can be read, its size, and what waits in quarantine."""
        started = time.perf_counter()
        try:
            rows, logs, stored, days = await self._database.run(self._facts)  # one wait: each takes turns of the loop
            size = self._path.stat().st_size
        except (RetryableError, OSError) as error:
            return StoreHealth(reachable=False, detail=str(error), figures={"engine": "SQLite"})
        return StoreHealth(
            reachable=True,
            detail=f"{logs} logs in quarantine: see `log-aggregator sqlite quarantine`" if rows else "",
            latency_ms=round((time.perf_counter() - started) * 1000, 3),
            figures={
                "engine": f"SQLite {sqlite3.sqlite_version}",
                "file": str(self._path),
                "bytes": size,
                "quarantined_logs": logs,
                "stored_until": stored,
                "retention_days": days,
                "max_bytes": self._config.max_store_bytes,
            },
        )

    def _facts(self, connection: sqlite3.Connection) -> tuple[int, int, int | None, int]:
        """Deliveries and logs in quarantine, until when logs are stored (microseconds), and days that rows are kept."""
        rows, logs = connection.execute("SELECT count(*), coalesce(sum(logs), 0) FROM log_quarantine").fetchone()
        stored = connection.execute("SELECT max(sealed) FROM flush_progress").fetchone()[0]
        return rows, logs, stored, days_kept(connection, self._config)

    async def _query(self, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
        return await self._database.run(lambda connection: connection.execute(sql, _named(values)).fetchall())

    async def _write(self, statements: list[Statement]) -> list[tuple[Any, ...]]:
        def work(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            rows: list[tuple[Any, ...]] = []
            with transaction(connection):
                for sql, values in statements:
                    rows = connection.execute(sql, _named(values)).fetchall()
            return rows

        return await self._writing.run(work)


def _named(values: list[Any]) -> dict[str, Any]:
    return {str(number): value for number, value in enumerate(values, 1)}

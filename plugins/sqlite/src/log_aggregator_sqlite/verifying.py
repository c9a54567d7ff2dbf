"""What `log-aggregator verify` asks of this store."""

from __future__ import annotations

import sqlite3

from log_aggregator_sqlite.tallies import counts_differ

_TABLES = ("aggregated_logs", "pattern_hours", "pattern_totals", "pattern_levels", "source_hours")


def verify(connection: sqlite3.Connection) -> str | None:
    """How many logs a store holds; `None` when it is another database, or one of an older release.

    Raises `ValueError` when its counts differ.
    """
    marks = ", ".join("?" * len(_TABLES))
    query = f"SELECT count(*) FROM sqlite_master WHERE name IN ({marks})"  # noqa: S608  only marks
    if connection.execute(query, _TABLES).fetchone()[0] < len(_TABLES):
        return None
    if wrong := counts_differ(connection):
        raise ValueError(f"{wrong}: the next start sets it right where it can")
    rows, logs = connection.execute("SELECT count(*), coalesce(sum(count), 0) FROM aggregated_logs").fetchone()
    return f"{logs} logs in {rows} rows"

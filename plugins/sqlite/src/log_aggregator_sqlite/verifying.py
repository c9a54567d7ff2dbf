"""What `log-aggregator verify` asks of this store."""

from __future__ import annotations

import sqlite3

from log_aggregator_sqlite.tallies import counts_differ


def verify(connection: sqlite3.Connection) -> str | None:
    """How many logs a store holds; `None` when it is another database. Raises `ValueError` when its counts differ."""
    query = "SELECT count(*) FROM sqlite_master WHERE name IN ('aggregated_logs', 'pattern_hours', 'pattern_totals')"
    if connection.execute(query).fetchone()[0] < 3:
        return None
    if wrong := counts_differ(connection):
        raise ValueError(f"{wrong}: the next start sets it right where it can")
    rows, logs = connection.execute("SELECT count(*), coalesce(sum(count), 0) FROM aggregated_logs").fetchone()
    return f"{logs} logs in {rows} rows"

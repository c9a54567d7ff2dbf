"""How much room the parts of the file take, by source and pattern, and by age."""

from __future__ import annotations

import sqlite3
import time

from log_aggregator.storekit.sizes import DAY, DETAILS, RETENTIONS, ROLLUP, Ages, Part, Sizes
from log_aggregator_sqlite.maintenance import used_bytes

_MICROS = 1_000_000
_DETAILS = " + ".join(
    f"coalesce(length(CAST({name} AS BLOB)), 0)"
    for name in ("metadata", "sample_messages", "variables", "sample_details")
)
_ROW = f"200 + length(message_pattern) + {_DETAILS}"
"""About the bytes of a row with its entries in indexes."""


def sizes_of(connection: sqlite3.Connection, top: int) -> Sizes:
    """Measure the file; reads all rows. Of SQLite without `dbstat`, the parts are in proportion to what they hold."""
    rows, row_bytes, old, summary = connection.execute(
        f"SELECT count(*), coalesce(sum({_ROW}), 0), "  # noqa: S608  only constants and numbers
        "(SELECT coalesce(sum(length(packed) + 120), 0) FROM pattern_details), "
        "100 * ((SELECT count(*) FROM pattern_hours) + (SELECT count(*) FROM pattern_totals) "
        "+ (SELECT count(*) FROM pattern_levels) + (SELECT count(*) FROM source_hours)) FROM aggregated_logs"
    ).fetchone()
    scale = used_bytes(connection) / max(1, row_bytes + old + summary)
    parts = [("rows", row_bytes), ("details of old rows", old), ("hours and totals", summary)]
    return Sizes(
        [Part(name, int(size * scale)) for name, size in parts],
        rows,
        _largest(connection, "source", top, scale),
        _largest(connection, "message_pattern", top, scale),
        _ages(connection, scale),
    )


def _largest(connection: sqlite3.Connection, column: str, top: int, scale: float) -> list[Part]:
    sql = f"SELECT {column}, sum({_ROW}) FROM aggregated_logs GROUP BY 1 ORDER BY 2 DESC LIMIT ?"  # noqa: S608  only constants
    found = connection.execute(sql, (top,))
    return [Part(name, int(size * scale)) for name, size in found]


def _ages(connection: sqlite3.Connection, scale: float) -> Ages:
    now = time.time_ns() // 1000
    stored = "coalesce(stored_at, last_seen)"
    cutoffs = [now - days * DAY * _MICROS for days in RETENTIONS]
    older = [f"coalesce(sum(CASE WHEN {stored} < {cutoff} THEN {_ROW} END), 0)" for cutoff in cutoffs]
    details = f"coalesce(sum(CASE WHEN last_seen < {now - DETAILS * 3600 * _MICROS} THEN {_DETAILS} END), 0)"
    rolled = now - ROLLUP * DAY * _MICROS
    narrow = f"coalesce(sum(bucket < {rolled} AND bucket_seconds < 3600), 0)"
    *old, detail, thin = connection.execute(
        f"SELECT {', '.join(older)}, {details}, {narrow} FROM aggregated_logs"  # noqa: S608  only constants and numbers
    ).fetchone()
    hours = connection.execute(
        "SELECT count(*) FROM (SELECT DISTINCT pattern_id, bucket / 3600000000, group_key FROM aggregated_logs "
        "WHERE bucket < ? AND bucket_seconds < 3600)",
        (rolled,),
    ).fetchone()[0]
    return Ages([int(size * scale) for size in old], int(detail * scale), thin, hours)

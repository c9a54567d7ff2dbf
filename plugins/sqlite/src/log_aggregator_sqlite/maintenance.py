"""What is done to old rows in small steps: details apart, one row an hour after roll-up, deleting after retention."""

from __future__ import annotations

import sqlite3
import time

from log_aggregator.model.aggregate import Key
from log_aggregator.storekit import RolledUp, StoredRow, roll_up, stored_aggregate
from log_aggregator.storekit.rollup import HOUR
from log_aggregator.storekit.thinning import STEP_ROWS as MOST_THINNED
from log_aggregator.storekit.thinning import WINDOW, OldDetails, thin, windows_of
from log_aggregator_sqlite.config import NEW_STORES_KEEP_DAYS, SqliteConfig
from log_aggregator_sqlite.database import KEY_BYTES, transaction
from log_aggregator_sqlite.deflating import as_stored, inflated
from log_aggregator_sqlite.moving import PACKED, ROLLED_UP, next_ids

_MICROS = 1_000_000
_DAY = 86_400 * _MICROS
_HOUR = HOUR * _MICROS
_WINDOW = WINDOW * _MICROS
STEP_ROWS = 500

# Written as the predicate of the index aggregated_logs_narrow, so that the index is used.
OLDEST = (
    "SELECT pattern_id, bucket FROM aggregated_logs "  # noqa: S608  only constants
    f"WHERE last_seen < ? AND bucket < ? AND bucket_seconds < {HOUR} ORDER BY last_seen LIMIT 1"
)

# Likewise, of the index aggregated_logs_detailed.
_HAS_DETAILS = (
    "(metadata IS NOT NULL OR variables IS NOT NULL OR sample_details IS NOT NULL) AND length(group_key) IN (8, 16)"
)
OLDEST_DETAILED = (
    "SELECT pattern_id, bucket FROM aggregated_logs "  # noqa: S608  only constants
    f"WHERE last_seen < ? AND bucket < ? AND {_HAS_DETAILS} ORDER BY last_seen LIMIT {MOST_THINNED}"
)

# The expression is that of the index aggregated_logs_stored_at.
_DELETE_STORED_BEFORE = """
DELETE FROM aggregated_logs WHERE id IN (
    SELECT id FROM aggregated_logs WHERE coalesce(stored_at, last_seen) < ?
    ORDER BY coalesce(stored_at, last_seen) LIMIT ?)"""
_DELETE_DETAILS = """
DELETE FROM pattern_details WHERE id IN (
    SELECT id FROM pattern_details WHERE stored_at < ? ORDER BY stored_at LIMIT ?)"""


def days_kept(connection: sqlite3.Connection, config: SqliteConfig) -> int:
    """After how many days rows are deleted; 0: never. A file from before the default is not trimmed by it."""
    if config.retention_days is not None:
        return config.retention_days
    is_told = connection.execute("SELECT count(*) FROM store_facts WHERE name = 'made_with'").fetchone()[0]
    return NEW_STORES_KEEP_DAYS if is_told else 0


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the file holds; pages that became free are used again."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def delete_step(connection: sqlite3.Connection, retention_days: int) -> int:
    """Delete some rows and resolved anomalies stored before the retention; returns how many."""
    cutoff = time.time_ns() // 1000 - retention_days * _DAY
    with transaction(connection):
        rows = connection.execute(_DELETE_STORED_BEFORE, (cutoff, STEP_ROWS)).rowcount
        rows += connection.execute(
            "DELETE FROM log_anomalies WHERE id IN "
            "(SELECT id FROM log_anomalies WHERE updated < ? AND state = 'resolved' LIMIT ?)",
            (cutoff, STEP_ROWS),
        ).rowcount
        rows += connection.execute(_DELETE_DETAILS, (cutoff, STEP_ROWS)).rowcount
    return rows


def shrink_step(connection: sqlite3.Connection, max_bytes: int) -> int:
    """Delete some of the rows stored longest ago while the file holds more than `max_bytes`; returns how many."""
    if used_bytes(connection) <= max_bytes:
        return 0
    with transaction(connection):
        rows = connection.execute(_DELETE_STORED_BEFORE, (2**62, STEP_ROWS)).rowcount
        oldest = connection.execute("SELECT min(coalesce(stored_at, last_seen)) FROM aggregated_logs").fetchone()[0]
        rows += connection.execute(_DELETE_DETAILS, (2**62 if oldest is None else oldest, STEP_ROWS)).rowcount
    return rows


def thin_step(connection: sqlite3.Connection, details_hours: int, max_samples: int) -> int:
    """Move the details of some old rows into `pattern_details`; returns how many rows."""
    cutoff = (time.time_ns() // 1000 - details_hours * _HOUR) // _WINDOW * _WINDOW
    with transaction(connection):
        oldest = connection.execute(OLDEST_DETAILED, (cutoff, cutoff)).fetchall()
        rows: list[StoredRow] = []
        for pattern_id, begins in windows_of([(name, bucket // _MICROS) for name, bucket in oldest]):
            since = begins * _MICROS
            more = f"AND {_HAS_DETAILS} ORDER BY bucket LIMIT {MOST_THINNED - len(rows)}"
            rows += _read(connection, pattern_id, since, since + _WINDOW, more)
        details, keep = thin(rows, max_samples)
        for one in details:
            _store_details(connection, one, max_samples)
        _move(connection, rows, keep)
    return len(rows)


def _move(connection: sqlite3.Connection, rows: list[StoredRow], keep: set[int]) -> None:
    """Leave nothing but counts in the rows, and the messages in those that `keep` them; they move, see `moving`."""
    ids = next_ids(connection, PACKED)
    connection.executemany(
        "UPDATE aggregated_logs SET id = ?, metadata = NULL, variables = NULL, sample_details = NULL, "
        "sample_messages = CASE WHEN ? THEN sample_messages END WHERE id = ?",
        [(row.id if row.id < 0 else next(ids), row.id in keep, row.id) for row in rows],
    )


def _store_details(connection: sqlite3.Connection, details: OldDetails, max_samples: int) -> None:
    key = details.key
    place = (key.pattern_id, key.bucket, details.seconds, details.group_key[:KEY_BYTES])
    found = connection.execute(
        "SELECT CAST(packed AS BLOB) FROM pattern_details "
        "WHERE pattern_id = ? AND begins = ? AND seconds = ? AND group_key = ?",
        place,
    ).fetchone()
    packed = details.packed(None if found is None else found[0], max_samples)
    connection.execute(
        "INSERT INTO pattern_details (pattern_id, begins, seconds, group_key, level, source, stored_at, packed) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET packed = excluded.packed, stored_at = excluded.stored_at",
        (*place, key.level, key.source, time.time_ns() // 1000, packed),
    )


def roll_up_step(connection: sqlite3.Connection, rollup_days: int, max_samples: int, *, json_text: bool = False) -> int:
    """Merge the narrow rows of one pattern of one hour into hours; returns how many rows it looked at."""
    cutoff = (time.time_ns() // 1000 - rollup_days * _DAY) // _HOUR * _HOUR
    with transaction(connection):
        oldest = connection.execute(OLDEST, (cutoff, cutoff)).fetchone()
        if oldest is None:
            return 0
        pattern_id, bucket = oldest
        hour = bucket // _HOUR * _HOUR
        rows = _read(connection, pattern_id, hour, hour + _HOUR)
        ids = next_ids(connection, ROLLED_UP)
        for rolled in roll_up(hour // _MICROS, rows, max_samples):
            place = rolled.keep if rolled.keep in ROLLED_UP else next(ids)
            _write(connection, hour, rolled, place, json_text)
    return len(rows)


def _read(connection: sqlite3.Connection, pattern_id: str, since: int, until: int, more: str = "") -> list[StoredRow]:
    found = connection.execute(
        "SELECT id, bucket, level, source, grouped_by, message_pattern, count, first_seen, last_seen, "  # noqa: S608  only constants
        "CAST(metadata AS BLOB), CAST(sample_messages AS BLOB), latest_sample, CAST(categories AS BLOB), "
        "CAST(tags AS BLOB), NULL, CAST(variables AS BLOB), CAST(sample_details AS BLOB) "
        "FROM aggregated_logs "
        f"WHERE pattern_id = ? AND bucket >= ? AND bucket < ? {more}",
        (pattern_id, since, until),
    )
    return [
        StoredRow(
            row_id,
            key := Key(bucket // _MICROS, pattern_id, level, source, group),
            stored_aggregate(key, *map(inflated, rest)),
        )
        for row_id, bucket, level, source, group, *rest in found
    ]


def _write(connection: sqlite3.Connection, hour: int, rolled: RolledUp, place: int, json_text: bool) -> None:
    connection.executemany("DELETE FROM aggregated_logs WHERE id = ?", [(row_id,) for row_id in rolled.drop])
    merged, columns = rolled.merged, rolled.columns
    connection.execute(
        "UPDATE aggregated_logs SET id = ?, bucket = ?, bucket_seconds = max(bucket_seconds, ?), count = ?, "
        "first_seen = ?, last_seen = ?, metadata = ?, sample_messages = ?, latest_sample = ?, categories = ?, "
        "category = ?, tags = ?, minutes = NULL, variables = ?, sample_details = ? WHERE id = ?",
        (
            place, hour, HOUR, merged.count, merged.first_seen, merged.last_seen,
            as_stored(columns.metadata, json_text), columns.sample_messages, columns.latest_sample, columns.categories,
            columns.category or None, columns.tags, as_stored(columns.variables, json_text),
            as_stored(columns.sample_details, json_text), rolled.keep,
        ),
    )  # fmt: skip

"""Makes indexes by time small again: roll-up and packing leave pages of them half empty.

SQLite joins pages of an index only when little is left in them, and entries of old times never come again. An index is
written anew at once, so larger files are left as they are: flushes would wait for a second and longer.
"""

from __future__ import annotations

import sqlite3
import time

from log_aggregator_sqlite.database import transaction

INDEXES = ("idx_aggregated_logs_last_seen", "aggregated_logs_first_seen", "aggregated_logs_stored_at")
"""New entries of these come last. An index by pattern is not among them: its full pages would soon be split again."""

MOST_BYTES = 64 * 1024 * 1024
"""Files up to this size are tidied: some 80,000 rows."""

_DAY = 86_400 * 1_000_000


def tidy_step(connection: sqlite3.Connection, file_bytes: int) -> int:
    """Write one index anew that was not for a day; returns how many. `file_bytes`: what the file holds."""
    now = time.time_ns() // 1000
    if file_bytes > MOST_BYTES:
        return 0
    done = dict(connection.execute("SELECT name, value FROM store_facts"))
    index = next((name for name in INDEXES if not now - _DAY < done.get(f"tidied {name}", 0) <= now), None)
    if index is None:
        return 0
    with transaction(connection):
        connection.execute(f"REINDEX {index}")
        connection.execute("INSERT OR REPLACE INTO store_facts VALUES (?, ?)", (f"tidied {index}", now))
    return 1

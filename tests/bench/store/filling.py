"""Fills a store with millions of rows: one hour goes through the sink, SQL copies it to the hours before it.

Of the copies, patterns beyond the first thousand are other ones in each hour, as rare patterns are. Rows older than two
days have no details, as maintenance leaves them; those of the rest are those of the hour.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import asyncpg

from log_aggregator.model.record import pattern_id
from tests.bench.store.rows import BUCKET, PATTERNS, bucket_of
from tests.support.sinks import Chain, deliver

HOUR, LOGS_A_BUCKET, FREQUENT = 3600, 800, 1000
FAT_HOURS = 48
_SHARED = (
    "count, level, source, grouped_by, latest_sample, category, categories, tags, minutes, bucket_seconds, group_key"
)
_DETAILS = ("metadata", "sample_messages", "variables", "sample_details")


def now_hour() -> int:
    """When the hour before this one began."""
    return int(time.time()) // HOUR * HOUR - HOUR


async def store_hour(sink: Any, begins: int) -> int:
    """Store one hour of logs through the sink; how many rows."""
    chain, rows = Chain(), 0
    for bucket in range(begins, begins + HOUR, BUCKET):
        made = list(bucket_of(bucket, LOGS_A_BUCKET, bucket))
        rows += len(made)
        await deliver(sink, chain.flush(made))
    return rows


def texts() -> list[tuple[int, str, str]]:
    """Number, text and id of each pattern."""
    found = [(n, f"Worker {n} took order {{ID}} of the queue") for n in range(PATTERNS)]
    return [(n, text, pattern_id(text)) for n, text in found]


def _copied(back: str, hours: int, number: str, fat: str) -> str:
    """The query of the copies of the hour; `back` moves a time, `number` gives the pattern of a row."""
    details = ", ".join(f"CASE WHEN {fat} THEN t.{name} END" for name in _DETAILS)
    other = f"{FREQUENT} + ({number} + h.h * 977) % {PATTERNS - FREQUENT}"
    rotated = f"CASE WHEN {number} < {FREQUENT} THEN {number} ELSE {other} END"
    shared = ", ".join(f"t.{name.strip()}" for name in _SHARED.split(","))
    moved = ", ".join(back.format(f"t.{name}") for name in ("bucket", "first_seen", "last_seen"))
    return (
        f"SELECT p.pattern_id, p.text, {shared}, {moved}, {details} "
        f"FROM hours h JOIN template t ON true JOIN patterns p ON p.n = {rotated} WHERE h.h BETWEEN 1 AND {hours - 1}"
    )


def _insert() -> str:
    return (
        f"INSERT INTO aggregated_logs (pattern_id, message_pattern, {_SHARED}, bucket, first_seen, last_seen, "
        f"{', '.join(_DETAILS)}) "
    )


async def fill_postgres(sink: Any, database: asyncpg.Connection, rows: int) -> int:
    """Fill the database with about so many rows; how many hours they take."""
    await database.execute(
        "SET statement_timeout = 0; SET synchronous_commit = off; SET maintenance_work_mem = '512MB'"
    )
    of_hour = await store_hour(sink, now_hour())
    hours = max(2, rows // of_hour)
    indexes = await database.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'aggregated_logs' AND indexname !~ 'pkey'"
    )
    for index in indexes:
        await database.execute(f"DROP INDEX {index['indexname']}")
    await database.execute("SET log_aggregator.notes_hours = 'on'")
    await database.execute("CREATE TEMP TABLE patterns (n INT PRIMARY KEY, text TEXT, pattern_id TEXT)")
    await database.copy_records_to_table("patterns", records=texts())
    await database.execute("CREATE TEMP TABLE template AS SELECT * FROM aggregated_logs")
    await database.execute(
        "CREATE TEMP TABLE hours AS SELECT generate_series(1, $1::int) AS h".replace("$1::int", str(hours))
    )
    number = "split_part(t.message_pattern, ' ', 2)::int"
    await database.execute("ANALYZE patterns; ANALYZE template; ANALYZE hours")
    await database.execute(
        _insert() + _copied("{} - h.h * interval '1 hour'", hours, number, f"h.h < {FAT_HOURS}"), timeout=3600
    )
    for index in indexes:
        await database.execute(index["indexdef"], timeout=3600)
    await _sum_up(database)
    await database.execute("VACUUM ANALYZE", timeout=3600)
    return hours


async def _sum_up(database: asyncpg.Connection) -> None:
    key = "md5(length(level) || ':' || level || length(source) || ':' || source || category)::uuid"
    await database.execute(
        f"""TRUNCATE pattern_hours, pattern_hours_fresh, pattern_texts, pattern_totals;
        INSERT INTO pattern_texts SELECT pattern_id, min(message_pattern) FROM aggregated_logs GROUP BY 1;
        INSERT INTO pattern_hours
        SELECT pattern_id, log_aggregator_hour(bucket), {key}, level, source, coalesce(category, ''), sum(count),
               min(first_seen), max(last_seen)
        FROM aggregated_logs GROUP BY pattern_id, 2, level, source, 6, category;
        INSERT INTO pattern_totals
        SELECT pattern_id, key, min(level), min(source), min(category), sum(count), min(first_seen), max(last_seen)
        FROM pattern_hours GROUP BY pattern_id, key""",
        timeout=3600,
    )


def fill_sqlite(path: Path, rows: int) -> int:
    """Fill the file, which holds the hour, with about so many rows; how many hours they take."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    of_hour = connection.execute("SELECT count(*) FROM aggregated_logs").fetchone()[0]
    hours = max(2, rows // of_hour)
    made = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND (type = 'trigger' OR (type = 'index' AND "
        "tbl_name = 'aggregated_logs'))"
    ).fetchall()
    for kind, name, _ in made:
        connection.execute(f"DROP {kind} {name}")
    connection.execute("CREATE TEMP TABLE patterns (n INTEGER PRIMARY KEY, text TEXT, pattern_id TEXT)")
    connection.executemany("INSERT INTO patterns VALUES (?, ?, ?)", texts())
    connection.execute(
        "CREATE TEMP TABLE template AS SELECT *, CAST(substr(message_pattern, 8) AS INTEGER) AS n FROM aggregated_logs"
    )
    connection.execute("CREATE TEMP TABLE hours (h INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO hours VALUES (?)", [(h,) for h in range(1, hours)])
    connection.execute("BEGIN")
    connection.execute(_insert() + _copied("{} - h.h * 3600000000", hours, "t.n", f"h.h < {FAT_HOURS}"))
    connection.execute("UPDATE aggregated_logs SET stored_at = last_seen")
    connection.execute("DELETE FROM pattern_hours")
    connection.execute("DELETE FROM pattern_totals")
    connection.execute("DELETE FROM pattern_texts")
    connection.execute(
        "INSERT INTO pattern_texts SELECT pattern_id, min(message_pattern) FROM aggregated_logs GROUP BY 1"
    )
    connection.execute(
        "INSERT INTO pattern_hours SELECT pattern_id, bucket / 3600000000 * 3600000000, level, source, "
        "coalesce(category, ''), sum(count), min(first_seen), max(last_seen) FROM aggregated_logs "
        "GROUP BY 1, 2, 3, 4, 5"
    )
    connection.execute(
        "INSERT INTO pattern_totals SELECT pattern_id, level, source, category, sum(count), min(first_seen), "
        "max(last_seen) FROM pattern_hours GROUP BY 1, 2, 3, 4"
    )
    for _, _, sql in sorted(made, key=lambda one: one[0]):
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.close()
    return hours

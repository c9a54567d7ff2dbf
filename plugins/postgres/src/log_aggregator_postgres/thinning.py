"""Moves the details of old rows into `pattern_details`, some windows of some patterns in a transaction."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import asyncpg

from log_aggregator.model.aggregate import Key
from log_aggregator.storekit import StoredRow, stored_aggregate
from log_aggregator.storekit.thinning import STEP_ROWS, WINDOW, OldDetails, thin, windows_of
from log_aggregator_postgres.dialect import DIALECT
from log_aggregator_postgres.noting import NOTES_HOURS
from log_aggregator_postgres.pool import Connection

STORED = f"""
id, t.pattern_id, extract(epoch FROM bucket)::bigint AS bucket, level, source, grouped_by, message_pattern, count,
{DIALECT.micros("first_seen")} AS first_seen, {DIALECT.micros("last_seen")} AS last_seen, metadata, sample_messages,
latest_sample, categories, tags, NULL AS minutes, variables, sample_details"""
"""The columns of `stored_row`."""

# Written as the predicate of the index aggregated_logs_detailed, so that the index is used.
_HAS_DETAILS = "(metadata IS NOT NULL OR variables IS NOT NULL OR sample_details IS NOT NULL) AND group_key IS NOT NULL"
OLDEST_DETAILED = f"""
SELECT pattern_id, extract(epoch FROM bucket)::bigint AS bucket FROM aggregated_logs
WHERE last_seen < to_timestamp($1) AND bucket < to_timestamp($1) AND {_HAS_DETAILS}
ORDER BY last_seen LIMIT {STEP_ROWS}"""  # noqa: S608  only constants
_DETAILED = f"""
SELECT {STORED} FROM unnest($1::text[], $2::bigint[]) AS i(pattern_id, begins) JOIN aggregated_logs t
    ON t.pattern_id = i.pattern_id AND bucket >= to_timestamp(begins) AND bucket < to_timestamp(begins + {WINDOW})
WHERE {_HAS_DETAILS} ORDER BY t.pattern_id, bucket, group_key LIMIT {STEP_ROWS} FOR UPDATE OF t"""  # noqa: S608  only constants
_TAKE = """
UPDATE aggregated_logs t SET metadata = NULL, variables = NULL, sample_details = NULL, revision = i.revision,
    sample_messages = CASE WHEN i.is_kept THEN t.sample_messages END
FROM unnest($1::bigint[], $2::bool[], $3::bigint[]) AS i(id, is_kept, revision) WHERE t.id = i.id"""
_KNOWN = """
SELECT d.pattern_id, d.begins, d.seconds, d.group_key, d.packed
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[]) AS i(pattern_id, begins, seconds, group_key)
JOIN pattern_details d USING (pattern_id, begins, seconds, group_key)"""
_PUT = """
INSERT INTO pattern_details AS d (pattern_id, begins, seconds, group_key, level, source, packed)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[], $5::text[], $6::text[], $7::bytea[])
ON CONFLICT (pattern_id, begins, seconds, group_key) DO UPDATE SET packed = excluded.packed"""


async def thin_oldest(connection: Connection, before: int, max_samples: int) -> int:
    """Move the details of some of the oldest rows before `before` (epoch seconds), of whole windows; how many rows."""
    oldest = await connection.fetch(OLDEST_DETAILED, before // WINDOW * WINDOW)
    windows = windows_of((record[0], record[1]) for record in oldest)
    if not windows:
        return 0
    found = await connection.fetch(_DETAILED, [name for name, _ in windows], [begins for _, begins in windows])
    rows = [stored_row(record) for record in found]
    details, keep = await asyncio.to_thread(thin, rows, max_samples)
    places = [
        [d.key.pattern_id for d in details], [d.key.bucket for d in details], [d.seconds for d in details],
        [d.group_key for d in details],
    ]  # fmt: skip
    known = {tuple(record)[:4]: record["packed"] for record in await connection.fetch(_KNOWN, *places)}
    packed = await asyncio.to_thread(_packed, details, known, max_samples)
    levels, sources = [d.key.level for d in details], [d.key.source for d in details]
    await connection.execute(_PUT, *places, levels, sources, packed)
    await connection.execute(NOTES_HOURS)
    await connection.execute(
        _TAKE, [row.id for row in rows], [row.id in keep for row in rows], [random.getrandbits(61) + 1 for _ in rows]
    )
    return len(rows)


def stored_row(record: asyncpg.Record) -> StoredRow:
    """A row of the columns `STORED`."""
    row_id, of_pattern, bucket, level, source, group, *rest = record
    key = Key(bucket, of_pattern, level, source, group)
    return StoredRow(row_id, key, stored_aggregate(key, *rest))


def _packed(details: list[OldDetails], known: dict[tuple[Any, ...], bytes], max_samples: int) -> list[bytes]:
    return [
        one.packed(known.get((one.key.pattern_id, one.key.bucket, one.seconds, one.group_key)), max_samples)
        for one in details
    ]

"""The upsert: how the rows of a flush are added to the table in one round trip, and merged where needed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import asyncpg

from log_aggregator.model.aggregate import Aggregate
from log_aggregator.storekit import Row, States, stored_aggregate
from log_aggregator_postgres.dialect import DIALECT
from log_aggregator_postgres.noting import NOTES_HOURS, Before, before_of, note_hours, note_of
from log_aggregator_postgres.pool import Connection

_MICROS = "'epoch'::timestamptz + {} * interval '1 microsecond'"
_IN_THREAD = 100
"""More rows than this are merged and encoded in a thread, so that the event loop goes on."""

_REVISIONS = 2**61

_COLUMNS = (
    "pattern_id, bucket, group_key, bucket_seconds, message_pattern, level, source, grouped_by, count, first_seen, "
    "last_seen, metadata, sample_messages, latest_sample, categories, category, tags, minutes, variables, "
    "sample_details, revision"
)

# Rows come sorted, so all writers lock in one order and never wait in a circle. A row that is as this
# writer left it (its revision tells) takes the columns merged in memory, and its revision grows by one.
# Any other existing row is only locked, and comes back: its columns are merged and written by _UPDATE.
# A row that was thought to exist and was inserted comes back too: its columns hold too much.
_UPSERT = f"""
WITH input AS (
    SELECT pattern_id, to_timestamp(bucket) AS bucket, group_key, $4::bigint AS bucket_seconds, message_pattern,
           level, source, grouped_by, count, {_MICROS.format("first_seen")} AS first_seen,
           {_MICROS.format("last_seen")} AS last_seen, metadata::jsonb, sample_messages::jsonb, latest_sample,
           categories::jsonb, category, tags::jsonb, minutes, variables::jsonb, sample_details::json, revision, known
    FROM unnest($1::text[], $2::bigint[], $3::bytea[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[],
                $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::int[], $15::text[], $16::text[],
                $17::text[], $18::text[], $19::text[], $20::text[], $21::bigint[], $22::int[])
         AS i(pattern_id, bucket, group_key, message_pattern, level, source, grouped_by, count, first_seen, last_seen,
              metadata, sample_messages, latest_sample, categories, category, tags, minutes, variables, sample_details,
              revision, known)
), written AS (
    INSERT INTO aggregated_logs AS t ({_COLUMNS}) SELECT {_COLUMNS} FROM input
    ON CONFLICT (pattern_id, bucket, group_key) DO UPDATE SET
        revision = coalesce(t.revision, 0) + 1,
        count = CASE WHEN t.revision = excluded.revision
                     THEN coalesce(t.count, 0) + excluded.count ELSE t.count END,
        first_seen = CASE WHEN t.revision = excluded.revision
                          THEN least(t.first_seen, excluded.first_seen) ELSE t.first_seen END,
        last_seen = CASE WHEN t.revision = excluded.revision
                         THEN greatest(t.last_seen, excluded.last_seen) ELSE t.last_seen END,
        metadata = CASE WHEN t.revision = excluded.revision AND excluded.metadata IS NOT NULL
                        THEN excluded.metadata ELSE t.metadata END,
        sample_messages = CASE WHEN t.revision = excluded.revision AND excluded.sample_messages IS NOT NULL
                               THEN excluded.sample_messages ELSE t.sample_messages END,
        latest_sample = CASE WHEN t.revision = excluded.revision
                             THEN excluded.latest_sample ELSE t.latest_sample END,
        categories = CASE WHEN t.revision = excluded.revision AND excluded.categories IS NOT NULL
                          THEN excluded.categories ELSE t.categories END,
        category = CASE WHEN t.revision = excluded.revision AND excluded.category IS NOT NULL
                        THEN excluded.category ELSE t.category END,
        tags = CASE WHEN t.revision = excluded.revision AND excluded.tags IS NOT NULL
                    THEN excluded.tags ELSE t.tags END,
        minutes = CASE WHEN t.revision = excluded.revision AND excluded.minutes IS NOT NULL
                       THEN excluded.minutes ELSE t.minutes END,
        variables = CASE WHEN t.revision = excluded.revision AND excluded.variables IS NOT NULL
                         THEN excluded.variables ELSE t.variables END,
        sample_details = CASE WHEN t.revision = excluded.revision AND excluded.sample_details IS NOT NULL
                              THEN excluded.sample_details ELSE t.sample_details END
    RETURNING pattern_id, bucket, group_key, id, revision, message_pattern, count, first_seen, last_seen, metadata,
              sample_messages, latest_sample, categories, tags, minutes, variables, sample_details, category
)
SELECT w.group_key, w.pattern_id, extract(epoch FROM w.bucket)::bigint AS bucket, w.id, w.revision, w.message_pattern,
       w.count, {DIALECT.micros("w.first_seen")} AS first_seen, {DIALECT.micros("w.last_seen")} AS last_seen,
       w.metadata, w.sample_messages, w.latest_sample, w.categories, w.tags, w.minutes, w.variables, w.sample_details,
       w.category
FROM written w JOIN input i USING (pattern_id, bucket, group_key)
WHERE w.revision <> i.revision + i.known"""  # noqa: S608  only constants

_UPDATE = f"""
UPDATE aggregated_logs t SET
    count = coalesce(t.count, 0) + i.count,
    first_seen = least(t.first_seen, {_MICROS.format("i.first_seen")}),
    last_seen = greatest(t.last_seen, {_MICROS.format("i.last_seen")}),
    bucket_seconds = greatest(t.bucket_seconds, $15::bigint),
    metadata = coalesce(i.metadata::jsonb, t.metadata),
    sample_messages = coalesce(i.sample_messages::jsonb, t.sample_messages),
    latest_sample = i.latest_sample,
    categories = coalesce(i.categories::jsonb, t.categories),
    category = coalesce(i.category, t.category),
    tags = coalesce(i.tags::jsonb, t.tags),
    minutes = coalesce(i.minutes, t.minutes),
    variables = coalesce(i.variables::jsonb, t.variables),
    sample_details = coalesce(i.sample_details::json, t.sample_details),
    revision = i.revision
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::int[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[])
     AS i(id, count, first_seen, last_seen, metadata, sample_messages, latest_sample, categories, category, tags,
          minutes, variables, sample_details, revision)
WHERE t.id = i.id"""  # noqa: S608  only constants


class ForgottenRowError(Exception):
    """A remembered row is gone: retention or roll-up took it. Forget everything and try again."""


Written = list[tuple[Row, int]]


async def write_rows(
    connection: Connection,
    rows: Sequence[Row],
    states: States,
    max_samples: int,
    bucket_seconds: int,
) -> Written:
    """Add sorted `rows` inside a transaction; returns each with its new revision, for `states` after the commit.

    Raises `ForgottenRowError` when the transaction must be given up, and tried again without `states`.
    """
    await connection.execute(NOTES_HOURS)
    remembered = [states.get(row.key) for row in rows]
    known = [1 if state else 0 for state in remembered]
    sent = [state[0] if state else random.getrandbits(61) + 1 for state in remembered]
    await _merge(rows, [state[1] if state else None for state in remembered], max_samples)
    changed = await connection.fetch(_UPSERT, *_upsert_arguments(rows, bucket_seconds), sent, known)
    revisions = [revision + grown for revision, grown in zip(sent, known, strict=True)]
    noted = [
        note_of(row, None if state is None else before_of(state[1]))
        for row, state in zip(rows, remembered, strict=True)
    ]
    if not changed:
        await note_hours(connection, noted)
        return list(zip(rows, revisions, strict=True))
    inserted = set(sent)
    if any(record["revision"] in inserted for record in changed):
        raise ForgottenRowError
    found = {(record["pattern_id"], record["bucket"], record["group_key"]): record for record in changed}
    stale = [(row, found[row.order]) for row in rows if row.order in found]
    await _merge([row for row, _ in stale], [_stored(row, record) for row, record in stale], max_samples)
    await connection.execute(_UPDATE, *_update_arguments(stale), bucket_seconds)
    again = {row.order: note_of(row, Before(r["count"], r["category"])) for row, r in stale}
    await note_hours(connection, [again.get(row.order, note) for row, note in zip(rows, noted, strict=True)])
    now = {row.order: record["revision"] for row, record in stale}
    return [(row, now.get(row.order, revision)) for row, revision in zip(rows, revisions, strict=True)]


async def _merge(rows: Sequence[Row], stored: Sequence[Aggregate | None], max_samples: int) -> None:
    def work() -> None:
        for row, state in zip(rows, stored, strict=True):
            row.add_to(state, max_samples)

    await (asyncio.to_thread(work) if len(rows) > _IN_THREAD else _at_once(work))


async def _at_once(work: Any) -> None:
    work()


def _stored(row: Row, record: asyncpg.Record) -> Aggregate:
    return stored_aggregate(row.key, *[record[name] for name in _STATE])


_STATE = (
    "message_pattern", "count", "first_seen", "last_seen", "metadata", "sample_messages", "latest_sample", "categories",
    "tags", "minutes", "variables", "sample_details",
)  # fmt: skip


def _upsert_arguments(rows: Sequence[Row], bucket_seconds: int) -> list[Any]:
    keys = [row.key for row in rows]
    fresh = [row.fresh for row in rows]
    return [
        [key.pattern_id for key in keys],
        [key.bucket for key in keys],
        [row.group_key for row in rows],
        bucket_seconds,
        [aggregate.pattern for aggregate in fresh],
        [key.level for key in keys],
        [key.source for key in keys],
        [key.group for key in keys],
        [aggregate.count for aggregate in fresh],
        [aggregate.first_seen for aggregate in fresh],
        [aggregate.last_seen for aggregate in fresh],
        *_column_arrays(rows),
    ]


def _update_arguments(stale: list[tuple[Row, asyncpg.Record]]) -> list[Any]:
    fresh = [row.fresh for row, _ in stale]
    return [
        [record["id"] for _, record in stale],
        [aggregate.count for aggregate in fresh],
        [aggregate.first_seen for aggregate in fresh],
        [aggregate.last_seen for aggregate in fresh],
        *_column_arrays([row for row, _ in stale]),
        [record["revision"] for _, record in stale],
    ]


def _column_arrays(rows: Sequence[Row]) -> list[list[Any]]:
    columns = [row.columns for row in rows if row.columns is not None]
    return [
        [column.metadata for column in columns],
        [column.sample_messages for column in columns],
        [column.latest_sample for column in columns],
        [column.categories for column in columns],
        [column.category or None for column in columns],
        [column.tags for column in columns],
        [column.minutes for column in columns],
        [column.variables for column in columns],
        [column.sample_details for column in columns],
    ]

"""What a flush adds to the hours of its patterns, noted in its transaction: maintenance adds the notes up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from log_aggregator.model.aggregate import Aggregate
from log_aggregator.storekit import Row
from log_aggregator.storekit.rollup import HOUR
from log_aggregator_postgres.pool import Connection

NOTES_HOURS = "SET LOCAL log_aggregator.notes_hours = 'on'"
"""Says, to the end of the transaction, that the triggers need not note what is written."""

_NOTE = """
INSERT INTO pattern_hours_fresh (
    pattern_id, hour, level, source, category, count, first_seen, last_seen, is_less, message_pattern)
SELECT pattern_id, to_timestamp(hour), level, source, category, count,
       'epoch'::timestamptz + first_seen * interval '1 microsecond',
       'epoch'::timestamptz + last_seen * interval '1 microsecond', is_less, message_pattern
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
            $9::bool[], $10::text[])
     AS i(pattern_id, hour, level, source, category, count, first_seen, last_seen, is_less, message_pattern)"""


class Before(NamedTuple):
    """What the summary knew of a row before: its count, and its category."""

    logs: int | None
    category: str | None


Note = tuple[str, int, str, str, str, int, int | None, int | None, bool, str | None]


def before_of(state: Aggregate) -> Before:
    """The same of the state of a row."""
    return Before(state.count, state.category)


def note_of(row: Row, before: Before | None) -> list[Note]:
    """What a written row changes in its hour: one note, or two when its most frequent category is another now."""
    fresh, merged = row.fresh, row.merged
    place = (row.key.pattern_id, row.key.bucket // HOUR * HOUR, row.key.level, row.key.source)
    if before is None:
        text = fresh.pattern
        return [(*place, merged.category, fresh.count, fresh.first_seen, fresh.last_seen, False, text)]
    counted, category = 1 if before.logs is None else before.logs, before.category or ""
    now = (before.logs or 0) + fresh.count
    if merged.category in ("", category):
        return [(*place, category, now - counted, fresh.first_seen, fresh.last_seen, False, None)]
    return [
        (*place, category, -counted, None, None, True, None),
        (*place, merged.category, now, merged.first_seen, merged.last_seen, False, None),
    ]


async def note_hours(connection: Connection, notes: Sequence[Sequence[Note]]) -> None:
    """Write notes inside the transaction of their rows."""
    flat = [note for of_row in notes for note in of_row]
    await connection.execute(_NOTE, *map(list, zip(*flat, strict=True)))

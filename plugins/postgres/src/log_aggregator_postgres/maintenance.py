"""What is done to old rows in the background, in small transactions: retention, roll-up, missing ids."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from log_aggregator.errors import RetryableError
from log_aggregator.model.record import pattern_id
from log_aggregator.storekit import RolledUp, roll_up
from log_aggregator.storekit.rollup import HOUR
from log_aggregator_postgres.config import PostgresConfig
from log_aggregator_postgres.faults import OUT_OF_REACH, explain
from log_aggregator_postgres.hours import add_up_hours
from log_aggregator_postgres.pool import Connection, Pool
from log_aggregator_postgres.thinning import STORED, stored_row, thin_oldest

_log = logging.getLogger(__name__)

_LOCK = 0x6C6F6761_6D61696E
_DAY = 86_400
_ADD_UP_SECONDS = 90.0
"""Pause between two times that the hours are added up, at most: to add up several flushes costs little more."""

STEP_ROWS = 500

_Work = Callable[[Connection], Awaitable[int]]

_DELETE = """
DELETE FROM aggregated_logs WHERE id IN (
    SELECT id FROM aggregated_logs WHERE last_seen < to_timestamp($1) ORDER BY last_seen LIMIT $2
    FOR UPDATE SKIP LOCKED)"""
_DELETE_ANOMALIES = """
DELETE FROM log_anomalies WHERE id IN (
    SELECT id FROM log_anomalies WHERE updated < to_timestamp($1) AND state = 'resolved' LIMIT $2
    FOR UPDATE SKIP LOCKED)"""
_DELETE_DETAILS = """
DELETE FROM pattern_details WHERE id IN (
    SELECT id FROM pattern_details WHERE begins + seconds < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)"""
# Written as the predicate of the index aggregated_logs_narrow, so that the index is used.
OLDEST = f"""
SELECT pattern_id, extract(epoch FROM bucket)::bigint AS bucket FROM aggregated_logs
WHERE last_seen < to_timestamp($1) AND bucket < to_timestamp($1) AND bucket_seconds < {HOUR} AND group_key IS NOT NULL
ORDER BY last_seen LIMIT 1"""  # noqa: S608  only constants
_OF_HOUR = f"""
SELECT {STORED} FROM aggregated_logs t
WHERE pattern_id = $1 AND bucket >= to_timestamp($2) AND bucket < to_timestamp($3) AND group_key IS NOT NULL
ORDER BY t.bucket, group_key FOR UPDATE"""  # noqa: S608  only constants
_WIDEN = """
UPDATE aggregated_logs SET bucket = to_timestamp($2), bucket_seconds = greatest(bucket_seconds, $3), count = $4,
    first_seen = 'epoch'::timestamptz + $5::bigint * interval '1 microsecond',
    last_seen = 'epoch'::timestamptz + $6::bigint * interval '1 microsecond',
    metadata = $7::text::jsonb, sample_messages = $8::text::jsonb, latest_sample = $9, categories = $10::text::jsonb,
    category = $11, tags = $12::text::jsonb, minutes = NULL, variables = $13::text::jsonb,
    sample_details = $14::text::json, revision = $15
WHERE id = $1"""


class Maintenance:
    """Looks for old rows now and then. One instance at a time does it; the others find the lock taken."""

    def __init__(self, pool: Pool, config: PostgresConfig, max_samples: int) -> None:
        self._pool = pool
        self._config = config
        self._max_samples = max_samples

    async def run(self, ready: asyncio.Event) -> None:
        """Work until cancelled. Faults are logged and tried again at the next look."""
        next_look = 0.0
        while True:
            await ready.wait()
            try:
                if time.monotonic() >= next_look:
                    await self.once()
                    pause = self._config.maintenance_seconds
                    next_look = time.monotonic() + random.uniform(pause / 2, pause)  # noqa: S311  jitter, not a secret
                else:
                    await self._steps(add_up_hours)
            except (*OUT_OF_REACH, RetryableError) as error:
                _log.warning("looking after old rows failed, it is tried again: %s", explain(error))
            except Exception:  # noqa: BLE001  whatever it is, the next look must come
                _log.exception("looking after old rows failed, it is tried again")
            pause = min(_ADD_UP_SECONDS, self._config.maintenance_seconds)
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311  jitter, not a secret

    async def once(self) -> None:
        """Give ids to rows without, delete what is beyond retention, thin and roll up what is old, add up the hours."""
        await self._steps(name_patterns)
        if self._config.retention_days:
            cutoff = time.time() - self._config.retention_days * _DAY
            await self._steps(lambda connection: delete_old(connection, cutoff))
        if self._config.details_hours:
            older = time.time() - self._config.details_hours * HOUR
            await self._steps(lambda connection: thin_oldest(connection, int(older), self._max_samples))
        if self._config.rollup_days:
            before = (int(time.time()) - self._config.rollup_days * _DAY) // HOUR * HOUR
            await self._steps(lambda connection: roll_up_oldest(connection, before, self._max_samples))
        await self._steps(add_up_hours)

    async def _steps(self, work: _Work) -> None:
        while True:
            started = time.monotonic()
            if not await self._step(work):
                return
            # Half of the time is left to others: many small steps are done soon, and a slow server is not pressed.
            await asyncio.sleep(time.monotonic() - started)

    async def _step(self, work: _Work) -> int:
        """Run one small transaction; 0 when there is nothing to do, or another instance is at it."""
        async with self._pool.transaction() as connection:
            # A maintenance step gives way to writers rather than making one wait for a deadlock to be found.
            await connection.execute("SET LOCAL lock_timeout = '500ms'")
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                return 0
            return await work(connection)


async def name_patterns(connection: Connection) -> int:
    """Give some rows of other programs, which have no pattern id, the id of their text."""
    found = await connection.fetch(
        "SELECT id, message_pattern FROM aggregated_logs WHERE pattern_id IS NULL LIMIT $1 FOR UPDATE SKIP LOCKED",
        STEP_ROWS,
    )
    if found:
        await connection.execute(
            "UPDATE aggregated_logs t SET pattern_id = i.pattern_id "
            "FROM unnest($1::bigint[], $2::text[]) AS i(id, pattern_id) WHERE t.id = i.id",
            [record["id"] for record in found],
            [pattern_id(record["message_pattern"]) for record in found],
        )
    return len(found)


async def delete_old(connection: Connection, cutoff: float) -> int:
    """Delete some rows and resolved anomalies last seen before `cutoff` (epoch seconds)."""
    rows = await connection.execute(_DELETE, cutoff, STEP_ROWS)
    anomalies = await connection.execute(_DELETE_ANOMALIES, cutoff, STEP_ROWS)
    details = await connection.execute(_DELETE_DETAILS, int(cutoff), STEP_ROWS)
    return _affected(rows) + _affected(anomalies) + _affected(details)


async def roll_up_oldest(connection: Connection, before: int, max_samples: int) -> int:
    """Merge the rows of one pattern of its oldest hour that is not rolled up yet."""
    oldest = await connection.fetchrow(OLDEST, before)
    if oldest is None:
        return 0
    hour = oldest["bucket"] // HOUR * HOUR
    found = await connection.fetch(_OF_HOUR, oldest["pattern_id"], hour, hour + HOUR)
    rows = [stored_row(record) for record in found]
    rolled = await asyncio.to_thread(roll_up, hour, rows, max_samples)
    await connection.execute(
        "DELETE FROM aggregated_logs WHERE id = ANY($1::bigint[])",
        [row_id for group in rolled for row_id in group.drop],
    )
    await connection.executemany(_WIDEN, [_widened(hour, group) for group in rolled])
    return len(rows)


def _widened(hour: int, group: RolledUp) -> tuple[object, ...]:
    merged, columns = group.merged, group.columns
    return (
        group.keep, hour, HOUR, merged.count, merged.first_seen, merged.last_seen, columns.metadata,
        columns.sample_messages, columns.latest_sample, columns.categories, columns.category or None, columns.tags,
        columns.variables, columns.sample_details, random.getrandbits(61) + 1,
    )  # fmt: skip


def _affected(status: str) -> int:
    return int(status.rpartition(" ")[2])

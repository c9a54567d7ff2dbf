"""Aliases and anomalies: what rides on a flush beside its rows."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import msgspec

from log_aggregator.model.aggregate import Alias, Anomaly, Flush
from log_aggregator.storekit import changed_aliases, clean_value, is_storable, touched_ids
from log_aggregator_postgres.faults import REFUSALS, is_damage
from log_aggregator_postgres.pool import Connection

_log = logging.getLogger(__name__)

ALIASES_LOCK = 0x6C6F6761_616C6961
"""Key of the advisory lock under which chains of aliases are resolved, one writer at a time."""

_MICROS = "'epoch'::timestamptz + {} * interval '1 microsecond'"

_FAMILIES = """
WITH touched AS (SELECT unnest($1::text[]) AS id),
     ends AS (SELECT id FROM touched UNION SELECT final_id FROM pattern_aliases JOIN touched ON old_id = id)
SELECT old_id, pattern, at FROM pattern_aliases WHERE final_id IN (SELECT id FROM ends)"""

_UPSERT_ALIASES = """
INSERT INTO pattern_aliases (old_id, pattern, at, final_id, final_pattern)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
ON CONFLICT (old_id) DO UPDATE SET
    pattern = excluded.pattern, at = excluded.at,
    final_id = excluded.final_id, final_pattern = excluded.final_pattern"""

_UPSERT_ANOMALIES = f"""
INSERT INTO log_anomalies (id, revision, kind, state, tier, pattern_id, pattern, level, source, started, updated,
                           resolved, score, details)
SELECT id, revision, kind, state, tier, pattern_id, pattern, level, source, {_MICROS.format("started")},
       {_MICROS.format("updated")}, {_MICROS.format("resolved")}, score, details::jsonb
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::float8[], $14::text[])
     AS i(id, revision, kind, state, tier, pattern_id, pattern, level, source, started, updated, resolved, score,
          details)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, kind = excluded.kind, state = excluded.state, tier = excluded.tier,
    pattern_id = excluded.pattern_id, pattern = excluded.pattern, level = excluded.level, source = excluded.source,
    started = excluded.started, updated = excluded.updated, resolved = excluded.resolved, score = excluded.score,
    details = excluded.details
WHERE excluded.revision > log_anomalies.revision"""  # noqa: S608  only constants


async def write_events(connection: Connection, flush: Flush) -> None:
    """Write what rides on a flush, inside a transaction. Raises one of `REFUSALS`."""
    await write_aliases(connection, flush.aliases)
    await write_anomalies(connection, flush.anomalies)


async def write_events_singly(connection: Connection, flush: Flush) -> None:
    """As `write_events`, each event in a savepoint: one that the server refuses is said and left out."""
    for alias in flush.aliases:
        if await refusal(connection, partial(write_aliases, connection, [alias])):
            _log.error("PostgreSQL refused an alias in flush %s, it is left out", flush.identity)
    for anomaly in flush.anomalies:
        if await refusal(connection, partial(write_anomalies, connection, [anomaly])):
            _log.error("PostgreSQL refused an anomaly in flush %s, it is left out", flush.identity)


async def refusal(connection: Connection, work: Callable[[], Awaitable[None]]) -> Exception | None:
    """Do `work` inside a transaction; when the server refuses it, all of it is undone and the error returned."""
    await connection.execute("SAVEPOINT trial")
    try:
        await work()
    except REFUSALS as error:
        if is_damage(error):
            raise
        await connection.execute("ROLLBACK TO SAVEPOINT trial; RELEASE SAVEPOINT trial")
        return error
    await connection.execute("RELEASE SAVEPOINT trial")
    return None


async def write_aliases(connection: Connection, aliases: Sequence[Alias]) -> None:
    """Take in new aliases and resolve their chains anew, inside a transaction.

    An alias whose text no row can have leads nowhere, so it is left out.
    """
    aliases = [alias for alias in aliases if is_storable(alias.pattern) and is_storable(alias.old_id)]
    if not aliases:
        return
    await connection.execute("SELECT pg_advisory_xact_lock($1)", ALIASES_LOCK)
    known = [Alias(*row) for row in await connection.fetch(_FAMILIES, touched_ids(aliases))]
    changed = changed_aliases(known, aliases)
    await connection.execute(
        _UPSERT_ALIASES,
        [now.alias.old_id for now in changed],
        [now.alias.pattern for now in changed],
        [now.alias.at for now in changed],
        [now.final_id for now in changed],
        [now.final_pattern for now in changed],
    )


async def write_anomalies(connection: Connection, anomalies: Sequence[Anomaly]) -> None:
    """Insert anomalies, or update them where the revision is higher, inside a transaction."""
    newest: dict[str, Anomaly] = {}
    for anomaly in anomalies:
        if anomaly.id not in newest or anomaly.revision > newest[anomaly.id].revision:
            newest[anomaly.id] = msgspec.convert(clean_value(msgspec.to_builtins(anomaly)), Anomaly)
    if not newest:
        return
    rows = [newest[anomaly_id] for anomaly_id in sorted(newest)]
    texts = ("kind", "state", "tier", "pattern_id", "pattern", "level", "source")
    await connection.execute(
        _UPSERT_ANOMALIES,
        [row.id for row in rows],
        [row.revision for row in rows],
        *[[getattr(row, name) for row in rows] for name in texts],
        [row.started for row in rows],
        [row.updated for row in rows],
        [row.resolved for row in rows],
        [row.score for row in rows],
        [msgspec.json.encode(row.details).decode() for row in rows],
    )

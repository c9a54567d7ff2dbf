"""Aliases and anomalies: what rides on a flush beside its rows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from log_aggregator.aggregate import Alias, Anomaly
from log_aggregator.storekit import clean_value, is_storable, resolve_aliases
from log_aggregator_postgres.pool import Connection

ALIASES_LOCK = 0x6C6F6761_616C6961
"""Key of the advisory lock under which chains of aliases are resolved, one writer at a time."""

_MICROS = "'epoch'::timestamptz + {} * interval '1 microsecond'"

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


async def write_aliases(connection: Connection, aliases: Sequence[Alias]) -> None:
    """Take in new aliases and resolve all chains anew, inside a transaction.

    An alias whose text no row can have leads nowhere, so it is left out.
    """
    aliases = [alias for alias in aliases if is_storable(alias.pattern) and is_storable(alias.old_id)]
    if not aliases:
        return
    await connection.execute("SELECT pg_advisory_xact_lock($1)", ALIASES_LOCK)
    known = [Alias(*row) for row in await connection.fetch("SELECT old_id, pattern, at FROM pattern_aliases")]
    before = resolve_aliases(known)
    after = resolve_aliases([*known, *aliases])
    changed = [(old_id, now) for old_id, now in after.items() if before.get(old_id) != now]
    await connection.execute(
        _UPSERT_ALIASES,
        [old_id for old_id, _ in changed],
        [now.alias.pattern for _, now in changed],
        [now.alias.at for _, now in changed],
        [now.final_id for _, now in changed],
        [now.final_pattern for _, now in changed],
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

"""Aliases and anomalies: what rides on a flush beside its rows."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Sequence
from functools import partial

import msgspec

from log_aggregator.sinks import Alias, Anomaly, Flush
from log_aggregator.storekit import changed_aliases, touched_ids
from log_aggregator_sqlite.database import is_taken

_log = logging.getLogger(__name__)

_FAMILIES = """
WITH touched AS (SELECT value AS id FROM json_each(?)),
     ends AS (SELECT id FROM touched UNION SELECT final_id FROM pattern_aliases JOIN touched ON old_id = id)
SELECT old_id, pattern, at FROM pattern_aliases WHERE final_id IN (SELECT id FROM ends)"""

_ANOMALY_COLUMNS = (
    "id", "revision", "kind", "state", "tier", "pattern_id", "pattern", "level", "source", "started", "updated",
    "resolved", "score", "details",
)  # fmt: skip
_UPSERT_ANOMALY = f"""
INSERT INTO log_anomalies ({", ".join(_ANOMALY_COLUMNS)}) VALUES ({", ".join("?" * len(_ANOMALY_COLUMNS))})
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _ANOMALY_COLUMNS[1:])}
WHERE excluded.revision > log_anomalies.revision"""  # noqa: S608  only constants


def store_events(connection: sqlite3.Connection, flush: Flush) -> None:
    """Store what rides on a flush; an event that SQLite refuses is said and left out."""

    def store_all() -> None:
        store_aliases(connection, flush.aliases)
        store_anomalies(connection, flush.anomalies)

    if is_taken(connection, store_all):
        return
    for alias in flush.aliases:
        if not is_taken(connection, partial(store_aliases, connection, [alias])):
            _log.error("SQLite refused an alias in flush %s, it is left out", flush.identity)
    for anomaly in flush.anomalies:
        if not is_taken(connection, partial(store_anomalies, connection, [anomaly])):
            _log.error("SQLite refused an anomaly in flush %s, it is left out", flush.identity)


def store_aliases(connection: sqlite3.Connection, aliases: Sequence[Alias]) -> None:
    """Take in new aliases and resolve their chains anew."""
    if not aliases:
        return
    found = connection.execute(_FAMILIES, (json.dumps(touched_ids(aliases)),))
    changed = changed_aliases([Alias(*row) for row in found], aliases)
    connection.executemany(
        "INSERT OR REPLACE INTO pattern_aliases (old_id, pattern, at, final_id, final_pattern) VALUES (?, ?, ?, ?, ?)",
        [(now.alias.old_id, now.alias.pattern, now.alias.at, now.final_id, now.final_pattern) for now in changed],
    )


def store_anomalies(connection: sqlite3.Connection, anomalies: Sequence[Anomaly]) -> None:
    """Insert anomalies, or update them where the revision is higher."""
    rows = [
        [
            msgspec.json.encode(anomaly.details).decode() if name == "details" else getattr(anomaly, name)
            for name in _ANOMALY_COLUMNS
        ]
        for anomaly in anomalies
    ]
    connection.executemany(_UPSERT_ANOMALY, rows)

"""The one transaction that stores a flush: rows, aliases, anomalies, and the progress that makes it once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any

from log_aggregator.errors import RetryableError
from log_aggregator.sinks import Aggregate, Flush, Position
from log_aggregator.storekit import (
    Row,
    States,
    clean_aggregate,
    pack_aggregate,
    pieces,
    rows_of,
    stored_aggregate,
)
from log_aggregator_sqlite.database import KEY_BYTES, is_taken, transaction
from log_aggregator_sqlite.deflating import as_stored, inflated
from log_aggregator_sqlite.events import store_events

_PIECE = 1000
_MICROS = 1_000_000
_SELECT = """
SELECT message_pattern, count, first_seen, last_seen, CAST(metadata AS BLOB),
       CAST(sample_messages AS BLOB), latest_sample, CAST(categories AS BLOB), CAST(tags AS BLOB),
       CAST(minutes AS BLOB), CAST(variables AS BLOB), CAST(sample_details AS BLOB)
FROM aggregated_logs WHERE pattern_id = ? AND bucket = ? AND group_key = ?"""

_UPSERT = """
INSERT INTO aggregated_logs (
    pattern_id, bucket, group_key, bucket_seconds, message_pattern, level, source, grouped_by, count, first_seen,
    last_seen, metadata, sample_messages, latest_sample, categories, category, tags, minutes, variables,
    sample_details, stored_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (pattern_id, bucket, group_key) DO UPDATE SET
    count = count + excluded.count,
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen),
    bucket_seconds = max(bucket_seconds, excluded.bucket_seconds),
    metadata = coalesce(excluded.metadata, metadata),
    sample_messages = coalesce(excluded.sample_messages, sample_messages),
    latest_sample = excluded.latest_sample,
    categories = coalesce(excluded.categories, categories),
    category = coalesce(excluded.category, category),
    tags = coalesce(excluded.tags, tags),
    minutes = coalesce(excluded.minutes, minutes),
    variables = coalesce(excluded.variables, variables),
    sample_details = coalesce(excluded.sample_details, sample_details),
    stored_at = excluded.stored_at"""


class Writer:
    """Stores flushes on the write thread. `states` holds what it wrote last, while nobody else wrote.

    Of a row that was written only its state is kept, and as little of all states as is remembered: a large flush
    would otherwise lie in memory three times, as it came, merged, and as JSON.
    """

    def __init__(
        self, remembered_bytes: int, max_samples: int, bucket_seconds: int, *, json_text: bool = False
    ) -> None:
        self._max_samples = max_samples
        self._bucket_seconds = bucket_seconds
        self._json_text = json_text
        self.states = States(remembered_bytes)
        self._written = States(remembered_bytes)
        self._version = -1

    def store(self, connection: sqlite3.Connection, flush: Flush) -> int:
        """Store the flush unless it is stored already; returns how many logs were set aside.

        Raises `FencedError` when the flush does not continue what is stored of its instance.
        """
        rows = rows_of(flush.aggregates, self._max_samples)
        try:
            with transaction(connection):
                self._forget_if_changed(connection)
                progress = read_progress(connection, flush.instance)
                if flush.is_stored(progress):
                    return 0
                poison = self._store_rows(connection, rows)
                set_aside(connection, flush.identity, [row.fresh for row in poison])
                store_events(connection, flush)
                _move_progress(connection, flush, progress)
        except BaseException:
            self._forget()
            raise
        self.states.take_over(self._written)
        return sum(row.fresh.count for row in poison)

    def store_again(self, connection: sqlite3.Connection, aggregate: Aggregate) -> bool:
        """Inside a transaction: try an aggregate that was set aside; whether it is stored now."""
        try:
            return not self._store_rows(connection, rows_of([aggregate], self._max_samples))
        finally:
            self._forget()

    def forget_after(self, step: Callable[[sqlite3.Connection], int], connection: sqlite3.Connection) -> int:
        """Run a step that changes rows, and forget what was remembered before any flush can use it."""
        changed = step(connection)
        if changed:
            self._forget()
        return changed

    def _forget(self) -> None:
        self.states.clear()
        self._written.clear()

    def _forget_if_changed(self, connection: sqlite3.Connection) -> None:
        """Another worker, or a command, may have written to the file since the last transaction here."""
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._forget()

    def _store_rows(self, connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
        """Store the rows piece by piece; returns the poison rows. Then nothing is remembered."""
        trial = pieces(rows, _PIECE)
        try:
            piece = next(trial)
            while True:
                piece = trial.send(self._try_piece(connection, piece))
        except StopIteration as end:
            refused: list[Row] = end.value
        if not refused:
            return []
        poison = [row for row in refused if not self._try_cleaned(connection, row)]
        if poison and not self._try_canary(connection):
            raise RetryableError("aggregated_logs refuses every row: did someone add a constraint or a trigger?")
        self._forget()
        return poison

    def _try_piece(self, connection: sqlite3.Connection, piece: Sequence[Row]) -> bool:
        def store() -> None:
            for row in piece:
                self._store_row(connection, row)

        return is_taken(connection, store)

    def _store_row(self, connection: sqlite3.Connection, row: Row) -> None:
        row.add_to(self.states.take(row.key) or self._read(connection, row), self._max_samples)
        connection.execute(_UPSERT, _values(row, self._bucket_seconds, self._json_text))
        self._written.put(row.key, 0, row.merged)
        row.merged, row.columns = row.fresh, None

    def _try_cleaned(self, connection: sqlite3.Connection, row: Row) -> bool:
        """Whether the row is taken without lone surrogates. They are rare: the door replaces them."""
        cleaned = clean_aggregate(row.fresh)
        return cleaned != row.fresh and self._try_piece(connection, rows_of([cleaned], self._max_samples))

    def _try_canary(self, connection: sqlite3.Connection) -> bool:
        canary = rows_of([Aggregate(0, "canary", "INFO", "log-aggregator", 1, 0, 0)], 1)
        connection.execute("SAVEPOINT canary")
        taken = self._try_piece(connection, canary)
        connection.execute("ROLLBACK TO canary")
        connection.execute("RELEASE canary")
        return taken

    def _read(self, connection: sqlite3.Connection, row: Row) -> Aggregate | None:
        key = row.key
        found = connection.execute(
            _SELECT, (key.pattern_id, key.bucket * _MICROS, row.group_key[:KEY_BYTES])
        ).fetchone()
        return None if found is None else stored_aggregate(key, *map(inflated, found))


def _values(row: Row, bucket_seconds: int, json_text: bool) -> tuple[Any, ...]:
    key, fresh, columns = row.key, row.fresh, row.columns
    assert columns is not None
    return (
        key.pattern_id, key.bucket * _MICROS, row.group_key[:KEY_BYTES], bucket_seconds, fresh.pattern, key.level,
        key.source, key.group, fresh.count, fresh.first_seen, fresh.last_seen,
        as_stored(columns.metadata, json_text), columns.sample_messages, columns.latest_sample, columns.categories,
        columns.category or None, columns.tags, columns.minutes, as_stored(columns.variables, json_text),
        as_stored(columns.sample_details, json_text), time.time_ns() // 1000,
    )  # fmt: skip


def read_progress(connection: sqlite3.Connection, instance: str) -> Position | None:
    """The last flush stored of an instance."""
    found = connection.execute("SELECT epoch, sequence FROM flush_progress WHERE instance = ?", (instance,)).fetchone()
    return None if found is None else Position(*found)


def _move_progress(connection: sqlite3.Connection, flush: Flush, progress: Position | None) -> None:
    now = time.time_ns() // 1000
    values = (flush.position.epoch, flush.position.sequence, flush.sealed, now, flush.instance)
    if progress is None:
        sql = "INSERT INTO flush_progress (epoch, sequence, sealed, stored_at, instance) VALUES (?, ?, ?, ?, ?)"
        connection.execute(sql, values)
        return
    moved = connection.execute(
        "UPDATE flush_progress SET epoch = ?, sequence = ?, sealed = ?, stored_at = ? "
        "WHERE instance = ? AND epoch = ? AND sequence = ?",
        (*values, *progress),
    )
    if moved.rowcount != 1:
        raise RetryableError("the progress moved under our hands: reading it again")


def set_aside(connection: sqlite3.Connection, flush: str, poison: list[Aggregate]) -> None:
    """Put aggregates that the database refuses into the quarantine."""
    now = time.time_ns() // 1000
    connection.executemany(
        "INSERT INTO log_quarantine (flush, set_aside_at, reason, logs, packed) VALUES (?, ?, ?, ?, ?)",
        [(flush, now, "refused by SQLite", min(a.count, 2**63 - 1), pack_aggregate(a)) for a in poison],
    )

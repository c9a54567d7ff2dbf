"""Flushes that some sink does not have yet, and how far each sink's lane has come."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from log_aggregator.journal.checks import checksum
from log_aggregator.journal.protocol import MERGE_AT, LaneState, SupersededError, Waiting
from log_aggregator.journal.rows import decode_flush, encode_flush
from log_aggregator.model.aggregate import START, Flush, Position, merge_flushes

MERGED_GROUPS = 20_000
"""Groups that are merged at once, and so what a merged flush holds, at most."""


class Outbox:
    """The operations on the outbox. Each takes the writer's connection and runs in its transaction."""

    def seal(self, connection: sqlite3.Connection, flush: Flush) -> None:
        """Keep a new flush. Raises `SupersededError` when it does not follow the newest one."""
        payload = encode_flush(flush)
        sequence = flush.position.sequence
        follows = connection.execute("UPDATE meta SET sequence = ? WHERE sequence = ?", (sequence, sequence - 1))
        if follows.rowcount != 1:
            raise SupersededError(f"flush {sequence} does not follow the newest one: another process has sealed since")
        connection.execute(
            "INSERT INTO outbox (sequence, epoch, first_sequence, groups, logs, opened, payload, checksum)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                flush.position.sequence,
                flush.position.epoch,
                flush.position.sequence,
                len(flush.aggregates),
                flush.logs,
                flush.opened,
                payload,
                checksum(payload),
            ),
        )

    def last_sequence(self, connection: sqlite3.Connection) -> int:
        """The sequence of the newest flush that was ever sealed, 0 before the first."""
        return int(connection.execute("SELECT sequence FROM meta").fetchone()[0])

    def open_lane(self, connection: sqlite3.Connection, name: str) -> LaneState:
        """The state of a lane; a new one starts behind the newest flush."""
        connection.execute(
            "INSERT OR IGNORE INTO lanes (name, cursor, epoch, sequence, lost) SELECT ?, sequence, ?, ?, 0 FROM meta",
            (name, *START),
        )
        cursor, epoch, sequence, lost = connection.execute(
            "SELECT cursor, epoch, sequence, lost FROM lanes WHERE name = ?", (name,)
        ).fetchone()
        return LaneState(cursor, None if epoch is None else Position(epoch, sequence), lost)

    def after(self, connection: sqlite3.Connection, cursor: int) -> Flush | None:
        """The first flush after a sequence."""
        row = connection.execute(
            "SELECT payload FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT 1", (cursor,)
        ).fetchone()
        return None if row is None else decode_flush(row[0])

    def advance(self, connection: sqlite3.Connection, name: str, state: LaneState, lanes: Iterable[str]) -> None:
        """Move a lane, and forget the flushes that every one of `lanes` is done with."""
        epoch, sequence = (None, None) if state.stored is None else state.stored
        connection.execute(
            "UPDATE lanes SET cursor = ?, epoch = ?, sequence = ?, lost = ? WHERE name = ?",
            (state.cursor, epoch, sequence, state.lost, name),
        )
        names = list(lanes)
        marks = ",".join("?" * len(names))
        connection.execute(
            f"DELETE FROM outbox WHERE sequence <= (SELECT min(cursor) FROM lanes WHERE name IN ({marks}))",  # noqa: S608  only question marks are put in
            names,
        )

    def drop_all(self, connection: sqlite3.Connection) -> None:
        """Forget every flush: no sink is configured to take them."""
        connection.execute("DELETE FROM outbox")

    def waiting(self, connection: sqlite3.Connection, cursor: int) -> Waiting:
        """What lies after a sequence."""
        row = connection.execute(
            "SELECT count(*), coalesce(sum(groups), 0), coalesce(sum(logs), 0), min(opened)"
            " FROM outbox WHERE sequence > ?",
            (cursor,),
        ).fetchone()
        return Waiting(*row)

    def merge_waiting(self, connection: sqlite3.Connection, cursors: list[int], max_samples: int) -> int:
        """Merge neighbors that no lane has begun with; returns how many flushes became one.

        A lane may have begun with the first flush after its cursor: whether its sink has stored it is
        only known of that very flush, so it stays as it is.
        """
        rows = connection.execute("SELECT sequence, groups FROM outbox ORDER BY sequence").fetchall()
        heads = {next((sequence for sequence, _ in rows if sequence > cursor), None) for cursor in cursors}
        run = _cheapest_run(rows, heads, cursors)
        if not run:
            return 0
        marks = ",".join("?" * len(run))
        payloads = connection.execute(
            f"SELECT payload FROM outbox WHERE sequence IN ({marks}) ORDER BY sequence",  # noqa: S608  only question marks are put in
            run,
        ).fetchall()
        merged = merge_flushes([decode_flush(row[0]) for row in payloads], max_samples)
        payload = encode_flush(merged)
        connection.executemany("DELETE FROM outbox WHERE sequence = ?", [(sequence,) for sequence in run[:-1]])
        connection.execute(
            "UPDATE outbox SET first_sequence = ?, groups = ?, logs = ?, opened = ?, payload = ?, checksum = ?"
            " WHERE sequence = ?",
            (run[0], len(merged.aggregates), merged.logs, merged.opened, payload, checksum(payload), run[-1]),
        )
        return len(run)


def _cheapest_run(rows: list[tuple[int, int]], heads: set[int | None], cursors: list[int]) -> list[int]:
    """The neighbors to merge: as many as may be, up to `MERGE_AT // 2`; of such runs that with the fewest groups."""
    if len(rows) < MERGE_AT:
        return []
    for length in range(MERGE_AT // 2, 1, -1):
        runs = [rows[start : start + length] for start in range(len(rows) - length + 1)]
        allowed = [run for run in runs if _groups(run) <= MERGED_GROUPS and _is_free(run, heads, cursors)]
        if allowed:
            return [sequence for sequence, _ in min(allowed, key=_groups)]
    return []


def _is_free(run: list[tuple[int, int]], heads: set[int | None], cursors: list[int]) -> bool:
    """Whether no lane stands in front of or between these."""
    sequences = [sequence for sequence, _ in run]
    return heads.isdisjoint(sequences) and not any(sequences[0] <= cursor < sequences[-1] for cursor in cursors)


def _groups(run: list[tuple[int, int]]) -> int:
    return sum(groups for _, groups in run)

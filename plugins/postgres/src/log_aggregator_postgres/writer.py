"""The one transaction that stores a flush: progress, rows, aliases, anomalies, together or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from log_aggregator import RetryableError
from log_aggregator.model.aggregate import START
from log_aggregator.sinks import Aggregate, Flush, Position
from log_aggregator.storekit import Row, States, clean_aggregate, pack_aggregate, pieces, rows_of
from log_aggregator_postgres.events import refusal, write_events, write_events_singly
from log_aggregator_postgres.faults import REFUSALS, is_damage
from log_aggregator_postgres.pool import Connection, Pool
from log_aggregator_postgres.rows import ForgottenRowError, Written, write_rows

PIECE = 1000
_IN_THREAD = 100

_MOVE = """
UPDATE flush_progress SET epoch = $2, sequence = $3, stored_at = now(),
    sealed = 'epoch'::timestamptz + $4::bigint * interval '1 microsecond'
WHERE instance = $1 AND epoch = $5 AND sequence = $6"""

_BEGIN_PROGRESS = """
INSERT INTO flush_progress (instance, epoch, sequence, sealed)
VALUES ($1, $2, $3, 'epoch'::timestamptz + $4::bigint * interval '1 microsecond')
ON CONFLICT (instance) DO NOTHING"""


class Poison(NamedTuple):
    """A row that the server refuses, and the SQLSTATE it gave."""

    row: Row
    reason: str


class Writer:
    """Stores flushes. `states` is what this writer left in the rows that it wrote last."""

    def __init__(self, pool: Pool, remembered_bytes: int, max_samples: int, bucket_seconds: int) -> None:
        self._pool = pool
        self._max_samples = max_samples
        self._bucket_seconds = bucket_seconds
        self.states = States(remembered_bytes)

    async def store(self, flush: Flush) -> list[Poison]:
        """Store the flush unless it is stored already; returns the rows that went into quarantine.

        Raises `FencedError` when the flush does not continue what is stored of its instance.
        """
        rows = await self._rows(flush.aggregates)
        try:
            try:
                written = await self._attempt_twice(flush, rows)
                poison: list[Poison] = []
            except REFUSALS as error:
                if is_damage(error):
                    raise
                self.states.clear()
                cleaned = await asyncio.to_thread(lambda: [clean_aggregate(row.fresh) for row in rows])
                written, poison = await self._attempt_carefully(flush, await self._rows(cleaned))
        except BaseException:
            self.states.clear()
            raise
        for row, revision in written:
            self.states.put(row.key, revision, row.merged)
        return poison

    async def store_again(self, connection: Connection, aggregate: Aggregate) -> None:
        """Inside a transaction: try an aggregate that was set aside. Raises one of `REFUSALS`."""
        await self._write(connection, rows_of([aggregate], self._max_samples))

    async def _attempt_twice(self, flush: Flush, rows: list[Row]) -> Written:
        try:
            return await self._attempt(flush, rows)
        except ForgottenRowError:
            self.states.clear()
            return await self._attempt(flush, rows)

    async def _attempt(self, flush: Flush, rows: list[Row]) -> Written:
        async with self._pool.transaction() as connection:
            if not await claim(connection, flush):
                return []
            written: Written = []
            for start in range(0, len(rows), PIECE):
                written += await self._write(connection, rows[start : start + PIECE])
            await write_events(connection, flush)
        return written

    async def _attempt_carefully(self, flush: Flush, rows: list[Row]) -> tuple[Written, list[Poison]]:
        """As `_attempt`, with a savepoint for each piece, so that a poison row is found and set aside.

        Texts are cleaned by now of what no database text holds; a poison row is refused for another reason.
        """
        written: Written = []
        reasons: dict[int, str] = {}
        async with self._pool.transaction() as connection:
            if not await claim(connection, flush):
                return [], []
            # Held to the end, so that nobody alters the table between a refused row and the canary.
            await connection.execute("LOCK TABLE aggregated_logs IN ROW EXCLUSIVE MODE")
            trial = pieces(rows, PIECE)
            try:
                piece = next(trial)
                while True:
                    piece = trial.send(await self._try(connection, piece, written, reasons))
            except StopIteration as end:
                poison = [Poison(row, reasons[id(row)]) for row in end.value]
            if poison and not await self._try_canary(connection):
                raise RetryableError("aggregated_logs refuses every row: did someone add a constraint or a trigger?")
            await set_aside(connection, flush.identity, poison)
            await write_events_singly(connection, flush)
        return written, poison

    async def _try(
        self, connection: Connection, piece: Sequence[Row], written: Written, reasons: dict[int, str]
    ) -> bool:
        async def write() -> None:
            written.extend(await self._write(connection, piece))

        error = await refusal(connection, write)
        if error is not None:
            reasons[id(piece[0])] = f"SQLSTATE {getattr(error, 'sqlstate', None)} {type(error).__name__}"
        return error is None

    async def _try_canary(self, connection: Connection) -> bool:
        """Whether a plain row is taken: else it is the table that is wrong, not the rows."""
        canary = rows_of([Aggregate(0, "canary", "INFO", "log-aggregator", 1, 0, 0)], 1)
        await connection.execute("SAVEPOINT canary")
        taken = await self._try(connection, canary, [], {})
        await connection.execute("ROLLBACK TO SAVEPOINT canary")
        return taken

    async def _write(self, connection: Connection, rows: Sequence[Row]) -> Written:
        return await write_rows(connection, rows, self.states, self._max_samples, self._bucket_seconds)

    async def _rows(self, aggregates: Sequence[Aggregate]) -> list[Row]:
        if len(aggregates) > _IN_THREAD:
            return await asyncio.to_thread(rows_of, aggregates, self._max_samples)
        return rows_of(aggregates, self._max_samples)


async def claim(connection: Connection, flush: Flush) -> bool:
    """Move the progress of the instance to this flush inside its transaction; `False`: it is stored already.

    Compare-and-set on the flush before it; only when that does not match, the progress is read and decides.
    Raises `FencedError` when the flush does not continue the progress.
    """
    target = (flush.instance, *flush.position, flush.sealed)
    if flush.previous not in (None, START) and await _moved(connection, target, flush.previous):
        return True
    progress = await read_progress(connection, flush.instance)
    if flush.is_stored(progress):
        return False
    if progress is not None:
        moved = await _moved(connection, target, progress)
    else:
        moved = await connection.execute(_BEGIN_PROGRESS, *target) == "INSERT 0 1"
    if not moved:
        raise RetryableError("another writer of this instance began at the same moment")
    return True


async def read_progress(connection: Connection, instance: str) -> Position | None:
    """The last flush stored of an instance, locked until the transaction ends."""
    found = await connection.fetchrow(
        "SELECT epoch, sequence FROM flush_progress WHERE instance = $1 FOR UPDATE", instance
    )
    return None if found is None else Position(*found)


async def set_aside(connection: Connection, flush: str, poison: list[Poison]) -> None:
    """Put rows that the server refuses into the quarantine."""
    await connection.executemany(
        "INSERT INTO log_quarantine (flush, reason, logs, packed) VALUES ($1, $2, $3, $4)",
        [(flush, reason, row.fresh.count, pack_aggregate(row.fresh)) for row, reason in poison],
    )


async def _moved(connection: Connection, target: tuple[str, int, int, int], before: Position | None) -> bool:
    assert before is not None
    return await connection.execute(_MOVE, *target, *before) == "UPDATE 1"

"""Reads every row of a journal, beside the service that writes it."""

from __future__ import annotations

import sqlite3
from typing import TypeGuard

import msgspec
import zstandard

from log_aggregator.journal.checks import checksum
from log_aggregator.journal.rows import decode_row, unpacked
from log_aggregator.model.sent_aggregates import SentAggregates


def verify_journal(connection: sqlite3.Connection) -> str:
    """What the journal holds. Raises `ValueError` for rows that are not what was written, `sqlite3.Error`."""
    rows = logs = flushes = waiting = bad = 0
    for payload, wanted, stated in connection.execute("SELECT payload, checksum, logs FROM intake"):
        rows += 1
        count = _logs(payload, wanted)
        if count is None:
            bad += stated if isinstance(stated, int) else 1
        else:
            logs += count
    for payload, wanted, stated in connection.execute("SELECT payload, checksum, logs FROM outbox"):
        flushes += 1
        known = stated if isinstance(stated, int) else 1
        waiting += known
        if not isinstance(stated, int) or not _is_as_written(payload, wanted):
            bad += known
    if bad:
        raise ValueError(f"{bad} logs are not what was written: the next start takes them out and says so")
    return f"{logs} logs in {rows} rows, {waiting} logs in {flushes} flushes"


def _is_as_written(payload: object, wanted: object) -> TypeGuard[bytes]:
    return isinstance(payload, bytes) and (wanted is None or checksum(payload) == wanted)


def _logs(payload: object, wanted: object) -> int | None:
    """How many logs a payload of the intake holds; `None` when it is not what was written."""
    if not _is_as_written(payload, wanted):
        return None
    try:
        row = decode_row(unpacked(payload))
    except (msgspec.MsgspecError, zstandard.ZstdError):
        return None
    return row.logs if isinstance(row, SentAggregates) else len(row)

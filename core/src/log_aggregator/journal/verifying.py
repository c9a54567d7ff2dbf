"""Reads every row of a journal, beside the service that writes it."""

from __future__ import annotations

import sqlite3

import msgspec
import zstandard

from log_aggregator.journal.checks import checksum
from log_aggregator.journal.intake import decode, unpacked


def verify_journal(connection: sqlite3.Connection) -> str:
    """What the journal holds. Raises `ValueError` for rows that are not what was written, `sqlite3.Error`."""
    rows = logs = bad = 0
    for payload, wanted, stated in connection.execute("SELECT payload, checksum, logs FROM intake"):
        rows += 1
        found = _logs_in(payload, wanted)
        bad += _stated(stated) if found is None else 0
        logs += found or 0
    flushes = waiting = 0
    for payload, wanted, stated in connection.execute("SELECT payload, checksum, logs FROM outbox"):
        flushes += 1
        if _is_what_was_written(payload, wanted):
            waiting += _stated(stated)
        else:
            bad += _stated(stated)
    if bad:
        raise ValueError(f"{bad} logs are not what was written: the next start takes them out and says so")
    return f"{logs} logs in {rows} rows, {waiting} logs in {flushes} flushes"


def _stated(logs: object) -> int:
    return logs if isinstance(logs, int) else 1


def _logs_in(payload: object, wanted: object) -> int | None:
    """How many logs a row of the intake holds; `None` for one that is not what was written."""
    if not isinstance(payload, bytes) or not _is_what_was_written(payload, wanted):
        return None
    try:
        return len(decode(unpacked(payload)))
    except (msgspec.MsgspecError, zstandard.ZstdError):
        return None


def _is_what_was_written(payload: object, wanted: object) -> bool:
    return isinstance(payload, bytes) and (wanted is None or checksum(payload) == wanted)

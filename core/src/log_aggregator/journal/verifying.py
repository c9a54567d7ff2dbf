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
        if not _is_whole(payload, wanted):
            bad += stated if isinstance(stated, int) else 1
            continue
        logs += len(decode(unpacked(payload)))
    flushes = waiting = 0
    for payload, wanted, stated in connection.execute("SELECT payload, checksum, logs FROM outbox"):
        flushes += 1
        waiting += stated
        if not isinstance(payload, bytes) or (wanted is not None and checksum(payload) != wanted):
            bad += stated
    if bad:
        raise ValueError(f"{bad} logs are not what was written: the next start takes them out and says so")
    return f"{logs} logs in {rows} rows, {waiting} logs in {flushes} flushes"


def _is_whole(payload: object, wanted: int | None) -> bool:
    if not isinstance(payload, bytes) or (wanted is not None and checksum(payload) != wanted):
        return False
    try:
        decode(unpacked(payload))
    except (msgspec.MsgspecError, zstandard.ZstdError):
        return False
    return True

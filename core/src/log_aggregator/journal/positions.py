"""How far receivers have read: written in the transaction that appends the records, so both are there or neither."""

from __future__ import annotations

import sqlite3

from log_aggregator.journal.protocol import ReaderPosition


def read_positions(connection: sqlite3.Connection) -> list[ReaderPosition]:
    """What was durable at the last end, however it came."""
    return [ReaderPosition(*row) for row in connection.execute("SELECT plugin, name, value FROM positions")]


def write_position(connection: sqlite3.Connection, position: ReaderPosition) -> None:
    """Write a position. It is durable, and may be noted, once the transaction is."""
    connection.execute("INSERT OR REPLACE INTO positions (plugin, name, value) VALUES (?, ?, ?)", position)

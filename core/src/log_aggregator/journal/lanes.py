"""What a journal knows of its sinks, read beside the service."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple


class Lanes(NamedTuple):
    """The instance, and the positions that a sink may have: of its last flush, or of the one that it is given now."""

    instance: str
    positions: frozenset[tuple[int, int]]


def lanes_of(connection: sqlite3.Connection) -> Lanes:
    """Read them in the connection's transaction. Without positions nothing is known: flushes were dropped."""
    instance = connection.execute("SELECT instance FROM meta").fetchone()[0]
    positions: set[tuple[int, int]] = set()
    for cursor, epoch, sequence in connection.execute("SELECT cursor, epoch, sequence FROM lanes").fetchall():
        if epoch is None:
            return Lanes(instance, frozenset())
        positions.add((epoch, sequence))
        head = connection.execute(
            "SELECT epoch, sequence FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT 1", (cursor,)
        ).fetchone()
        if head is not None:
            positions.add(tuple(head))
    return Lanes(instance, frozenset(positions))

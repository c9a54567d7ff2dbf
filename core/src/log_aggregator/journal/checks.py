"""Rows of the journal whose checksum is wrong: found at the start, taken out and counted."""

from __future__ import annotations

import sqlite3
import zlib
from typing import NamedTuple


def checksum(payload: bytes | bytearray) -> int:
    """The checksum that is kept beside a payload: CRC-32."""
    return zlib.crc32(payload)


_PLAUSIBLE = 10_000_000
"""Logs that no row holds."""


class Lost(NamedTuple):
    """Logs that damage cost: how many, about, and from when to when they were received, in microseconds.

    With `or_more` there were rows that nothing is known of.
    """

    logs: int = 0
    begin: int = 0
    end: int = 0
    or_more: bool = False

    def __add__(self, other: object) -> Lost:
        """Both together."""
        if not isinstance(other, Lost):
            return NotImplemented
        or_more = self.or_more or other.or_more
        if not self.logs or not other.logs:
            return (self if self.logs else other)._replace(or_more=or_more)
        return Lost(self.logs + other.logs, min(self.begin, other.begin), max(self.end, other.end), or_more)


def lost_row(logs: object, begin: object, end: object) -> Lost:
    """What one row held; of a damaged one nothing is certain."""
    first, last = (time if isinstance(time, int) else 0 for time in (begin, end))
    return Lost(logs if isinstance(logs, int) and 0 < logs < _PLAUSIBLE else 1, first, last)


def take_out_damaged(connection: sqlite3.Connection) -> Lost:
    """Delete the rows of intake and outbox that are not what was written; what they held is lost.

    Raises `sqlite3.DatabaseError` when the file itself is damaged.
    """
    lost = Lost()
    bad: list[tuple[str, int]] = []
    intake = "SELECT position, received, received, logs, checksum, payload FROM intake"
    outbox = "SELECT sequence, opened, opened, logs, checksum, payload FROM outbox"
    for table, query in (("intake", intake), ("outbox", outbox)):
        for row, begin, end, logs, wanted, payload in connection.execute(query):
            is_row = isinstance(payload, bytes) and isinstance(logs, int | None)
            if not is_row or (wanted is not None and checksum(payload) != wanted):
                lost += lost_row(logs, begin, end)
                bad.append((table, row))
    for table, row in bad:
        column = "position" if table == "intake" else "sequence"
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (row,))  # noqa: S608  only the names above
    return lost

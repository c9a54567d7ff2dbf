"""Where rows lie in the file: those that were packed, and those that were rolled up, each together.

SQLite does not join pages whose rows became short or fewer. Rows that change so move together into a range of ids of
their own: the pages where they were are free, and those where they are now are full. Small ids are short in each index.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator

PACKED = range(-(2**47), -(2**31))
"""The ids of rows whose details were packed."""

ROLLED_UP = range(-(2**31), 0)
"""The ids of rows that were rolled up."""

_BEYOND = range(-(2**62), -(2**47))
"""Where it goes on when a range is full. Earlier versions had all these rows here."""

_MOST_AT_ONCE = 10_000


def next_ids(connection: sqlite3.Connection, place: range) -> Iterator[int]:
    """Unused ids of a range, in the order in which rows are to take them; some thousands at most."""
    query = "SELECT max(id) FROM aggregated_logs WHERE id >= ? AND id < ?"
    last = connection.execute(query, (place.start, place.stop)).fetchone()[0]
    if last is None:
        return itertools.count(place.start)
    if last >= place.stop - _MOST_AT_ONCE and place is not _BEYOND:
        return next_ids(connection, _BEYOND)
    return itertools.count(last + 1)

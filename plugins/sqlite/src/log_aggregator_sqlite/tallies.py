"""The counts that a file holds several times: in its rows, by hours, in all. Where they differ, a bit has changed."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

HOURS = "pattern_id, hour, level, source, category"
_ROWS_BY_HOURS = """
SELECT pattern_id, bucket / 3600000000 * 3600000000, level, source, coalesce(category, ''), sum(count), min(first_seen),
       max(last_seen)
FROM aggregated_logs GROUP BY 1, 2, 3, 4, 5"""
_HOURS = f"SELECT {HOURS}, count, first_seen, last_seen FROM pattern_hours"  # noqa: S608  a constant
_TOTALS = "SELECT pattern_id, level, source, category, count FROM pattern_totals"
_SUMS = {
    "levels": (
        "SELECT pattern_id, level, sum(count) FROM pattern_totals GROUP BY 1, 2",
        "SELECT pattern_id, level, count FROM pattern_levels",
    ),
    "hours of sources": (
        "SELECT hour, level, source, sum(count) FROM pattern_hours GROUP BY 1, 2, 3 HAVING sum(count) <> 0",
        "SELECT hour, level, source, count FROM source_hours WHERE count <> 0",
    ),
}
"""What the tables of sums should hold, and what they hold."""


class Hour(NamedTuple):
    """What the logs of a pattern, level, source and category in one hour come to."""

    logs: int
    first_seen: int
    last_seen: int


Key = tuple[object, ...]


def counts_differ(connection: sqlite3.Connection) -> str:
    """How the rows, the hours, the totals and their sums differ; empty when they do not. Reads all of them."""
    query = (
        "SELECT (SELECT coalesce(sum(count), 0) FROM aggregated_logs), "
        "(SELECT coalesce(sum(count), 0) FROM pattern_hours), (SELECT coalesce(sum(count), 0) FROM pattern_totals)"
    )
    rows, hours, totals = connection.execute(query).fetchone()
    if not rows == hours == totals:
        return f"counts differ: {rows} logs in rows, {hours} by hours, {totals} in all"
    wrong = connection.execute(
        f"SELECT count(*) FROM (SELECT * FROM ({_ROWS_BY_HOURS}) EXCEPT {_HOURS})"  # noqa: S608  constants
    ).fetchone()[0]
    if wrong:
        return f"counts differ in {wrong} hours"
    for name, (wanted, found) in _SUMS.items():
        for one, other in ((wanted, found), (found, wanted)):
            if connection.execute(f"SELECT * FROM ({one}) EXCEPT {other} LIMIT 1").fetchone():  # noqa: S608  constants
                return f"counts differ in the {name}"
    return ""


def hours_of(connection: sqlite3.Connection) -> dict[Key, Hour]:
    """The hours as the file says them."""
    return {tuple(key): Hour(logs, first, last) for *key, logs, first, last in connection.execute(_HOURS)}


def hours_that_add_up(connection: sqlite3.Connection) -> dict[Key, Hour]:
    """The hours, where their sums are the totals: two of three say the same, so the rows are wrong, not they."""
    hours = hours_of(connection)
    sums: dict[Key, int] = {}
    for (pattern, _, *rest), hour in hours.items():
        sums[pattern, *rest] = sums.get((pattern, *rest), 0) + hour.logs
    totals = {tuple(key): count for *key, count in connection.execute(_TOTALS)}
    return {key: hour for key, hour in hours.items() if sums[key[0], *key[2:]] == totals.get((key[0], *key[2:]))}

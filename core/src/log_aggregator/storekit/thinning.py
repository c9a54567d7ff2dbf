"""What old rows say beside their counts moves into `pattern_details`: once an hour, of rare patterns once a day.

Metadata, variables and samples take nine tenths of a row. Of the last two days each row has its own, so that spans of
minutes can be compared and searches find values; older ones are only shown. `pattern_details` has a row for each
pattern, level, source and group, and each hour or day (`begins`, epoch seconds, and `seconds`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from log_aggregator.model.aggregate import Aggregate, Key, merge
from log_aggregator.oncall import ValuesQuery
from log_aggregator.storekit.columns import group_key
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.packing import pack_details, unpack_details
from log_aggregator.storekit.rollup import HOUR, StoredRow
from log_aggregator.storekit.totals import Fetch

DAY = 24 * HOUR
WINDOW = 6 * HOUR
"""Rows of one pattern are taken together over so many seconds, which begin at a multiple of it."""

STEP_ROWS = 300
"""Rows of one step: writers wait for no more."""

STEP_WINDOWS = 50
"""Patterns and windows of one step."""

MOST_DETAILS = 60
"""The details of a pattern are those of so many of its latest hours or days, beside those of its latest rows."""

_MOST_WITHIN = 2000
_IN_ROWS = HOUR + 60
"""Rows of so many last seconds have details of their own, with the smallest `DETAILS_HOURS` too."""

_OFTEN = 10 * WINDOW // HOUR
"""Logs in a window from which on each hour has details of its own."""


class OldDetails(NamedTuple):
    """The details of the rows of one group in an hour or a day; `key.bucket` is where it begins."""

    key: Key
    group_key: bytes
    seconds: int
    aggregate: Aggregate

    def packed(self, stored: bytes | None, max_samples: int) -> bytes:
        """With what is `stored` of the same time already, as it is to be stored."""
        known = None if stored is None else unpack_details(stored)
        return pack_details(self.aggregate if known is None else merge(known, self.aggregate, max_samples))


def thin(rows: Iterable[StoredRow], max_samples: int) -> tuple[list[OldDetails], set[int]]:
    """The details of old rows, and the ids of the rows that keep their messages: one of each group and window."""
    groups: dict[Key, list[StoredRow]] = {}
    for row in rows:
        groups.setdefault(row.key._replace(bucket=row.key.bucket // WINDOW * WINDOW), []).append(row)
    merged: dict[tuple[Key, int], Aggregate] = {}
    keep = set()
    for group in groups.values():
        is_often = sum(row.aggregate.count for row in group) >= _OFTEN
        for row in group:
            seconds = HOUR if is_often else DAY
            begins = row.key.bucket // seconds * seconds
            key = row.key._replace(bucket=begins)
            bare = msgspec.structs.replace(row.aggregate, bucket=begins, categories={}, tags={}, minutes=())
            known = merged.get((key, seconds))
            merged[key, seconds] = bare if known is None else merge(known, bare, max_samples)
        keep.add(max(group, key=lambda row: (bool(row.aggregate.samples.messages), row.key.bucket)).id)
    return [OldDetails(key, group_key(key), seconds, one) for (key, seconds), one in merged.items()], keep


def windows_of(rows: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """The first patterns and windows of rows of (pattern id, bucket in epoch seconds)."""
    return list(dict.fromkeys((pattern, bucket // WINDOW * WINDOW) for pattern, bucket in rows))[:STEP_WINDOWS]


class DetailsOfOldRows:
    """Reads `pattern_details`."""

    def __init__(self, dialect: Dialect, fetch: Fetch) -> None:
        self._dialect = dialect
        self._fetch = fetch

    async def latest(self, ids: list[str], sources: tuple[str, ...]) -> list[Aggregate]:
        """The latest details of these stored ids together, newest first."""
        where = Where(self._dialect, "d.seconds > 0")
        where.one_of("d.pattern_id", ids)
        where.sources("d.source", sources)
        return await self._read(where, MOST_DETAILS)

    async def within(
        self, ids: list[str], span: tuple[int, int], level: str | None, source: str | None, sources: tuple[str, ...]
    ) -> list[Aggregate]:
        """The details of these stored ids whose whole hour or day lies in the span (microseconds)."""
        where = Where(self._dialect, "d.seconds > 0")
        where.one_of("d.pattern_id", ids)
        where.add(f"d.begins >= {where.value(-(-span[0] // 1_000_000))}")
        where.add(f"d.begins + d.seconds <= {where.value(span[1] // 1_000_000)}")
        where.equal("d.level", level)
        where.equal("d.source", source)
        where.sources("d.source", sources)
        return await self._read(where, _MOST_WITHIN)

    async def overlapping(self, query: ValuesQuery) -> tuple[list[Aggregate], bool]:
        """The details of logs of the time of a query, of its level and sources, and whether these are all."""
        if query.since is not None and query.since > time.time_ns() // 1000 - _IN_ROWS * 1_000_000:
            return [], True
        where = Where(self._dialect, "d.seconds > 0")
        if query.since is not None:
            where.add(f"d.begins + d.seconds > {where.value(query.since // 1_000_000)}")
        if query.until is not None:
            where.add(f"d.begins < {where.value(-(-query.until // 1_000_000))}")
        where.equal("d.level", query.level)
        where.equal("d.source", query.source)
        where.sources("d.source", query.sources)
        found = await self._read(where, _MOST_WITHIN)
        begin, end = query.since or 0, query.until
        of_time = [one for one in found if one.last_seen >= begin and (end is None or one.first_seen < end)]
        return of_time, len(found) < _MOST_WITHIN

    async def _read(self, where: Where, most: int) -> list[Aggregate]:
        rows = await self._fetch(
            f"SELECT d.packed FROM pattern_details d {where} ORDER BY d.begins DESC LIMIT {most}",  # noqa: S608  only constants and parameter numbers
            where.values,
        )
        return await asyncio.to_thread(_unpacked, [row[0] for row in rows]) if rows else []


def _unpacked(packed: Sequence[bytes]) -> list[Aggregate]:
    return [one for one in map(unpack_details, packed) if one is not None]

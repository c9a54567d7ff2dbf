"""The counts of two spans of time by pattern and level, exact to the minute where rows know their minutes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from log_aggregator.model.aggregate import Aggregate
from log_aggregator.model.summary import to_json
from log_aggregator.oncall import CompareQuery
from log_aggregator.storekit.columns import messages_of, minutes_of
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.shares import Shares, Tested
from log_aggregator.storekit.thinning import DetailsOfOldRows

MOST_EDGES = 50_000
"""Rows at the edges of a span that are split by the minute; more are not looked at."""

MOST_VALUES = 300
"""Patterns whose values are compared, the most frequent ones."""

MOST_ROWS = 6000
"""Rows of one span whose values are looked at."""

MOST_DELAY = 120_000_000
"""Microseconds for which logs may still be on their way to the store, see `Counted.ended`."""

_MINUTE = 60_000_000
_ENOUGH = 50
_SLICE = 2000
_ID = "coalesce(a.final_id, t.pattern_id)"
_TABLES = "FROM aggregated_logs t LEFT JOIN pattern_aliases a ON a.old_id = t.pattern_id"
_LOGS = "CAST(sum(coalesce(t.count, 1)) AS bigint)"

Rows = Sequence[Sequence[Any]]
Fetch = Callable[[str, list[Any]], Awaitable[Rows]]
Span = tuple[int, int]
Conditions = Callable[[int | None, int | None], Awaitable[Where]]


class PatternCounts(msgspec.Struct):
    """One pattern: how many logs of each level came in both spans. `first_seen` only where none came before."""

    pattern: str
    source: str = ""
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    first_seen: int | None = None
    sources: dict[str, float] = {}


class Counted(NamedTuple):
    """All patterns of both spans by id.

    `begun` and `ended` are when the first and the last log came that the store knows: those of the last seconds are
    not stored yet. `ended` is `None` where that is not known.
    """

    patterns: dict[str, PatternCounts]
    begun: int
    ended: int | None = None

    def known(self, span: Span) -> Span:
        """The span, without its end of which the logs may still be on their way to the store."""
        if self.ended is None or not 0 < span[1] - self.ended <= MOST_DELAY:
            return span
        return span[0], max(self.ended, span[0] + 1_000_000)

    def level(self, pattern_id: str) -> str:
        """The most frequent level of a pattern: after, or before where none came after."""
        one = self.patterns[pattern_id]
        levels = one.after or one.before
        return max(levels, key=lambda name: (levels[name], name), default="")

    def levels(self) -> Tested:
        """The levels of each pattern that has several."""
        found: Tested = []
        for name, one in self.patterns.items():
            names = sorted(one.before.keys() | one.after.keys())
            if len(names) > 1 and one.before and one.after:
                values = [(level, one.before.get(level, 0), one.after.get(level, 0)) for level in names]
                found.append((name, "level", "level", values, sum(one.before.values()), sum(one.after.values())))
        return found


class SpanCounts:
    """Reads the counts of two spans. `conditions` gives those of the query on rows that have logs in a span."""

    def __init__(self, dialect: Dialect, fetch: Fetch, conditions: Conditions) -> None:
        self._dialect = dialect
        self._fetch = fetch
        self._conditions = conditions
        self._old_details = DetailsOfOldRows(dialect, fetch)
        self._since = 0

    async def count(self, query: CompareQuery) -> Counted:
        """The counts of both spans."""
        self._since = min(query.before_since, query.since)
        patterns: dict[str, PatternCounts] = {}
        parts: dict[tuple[str, str, str], float] = {}
        for span, side in (((query.before_since, query.before_until), "before"), ((query.since, query.until), "after")):
            rows = [*await self._inside(span), *await self._edges(span)]
            for done, (name, pattern, level, source, logs) in enumerate(rows):
                if done % _SLICE == _SLICE - 1:
                    await asyncio.sleep(0)
                one = patterns.setdefault(name, PatternCounts(pattern))
                parts[name, side, level] = parts.get((name, side, level), 0) + logs
                one.sources[source] = one.sources.get(source, 0) + logs
        for (name, side, level), logs in parts.items():
            if count := round(logs):
                getattr(patterns[name], side)[level] = count
        patterns = {name: one for name, one in patterns.items() if one.before or one.after}
        for one in patterns.values():
            one.source = max(one.sources, key=lambda name: (one.sources[name], name))
        fresh = [name for name, one in patterns.items() if not one.before]
        for name, first_seen in await self._first_seen(fresh):
            if name in patterns:
                patterns[name].first_seen = first_seen
        first, last = await self._end("min"), await self._end("max")
        return Counted(patterns, query.before_since if first is None else first, last)

    async def _end(self, which: str) -> int | None:
        """When the first or the last log came; each is one look at an index."""
        rows = await self._fetch(f"SELECT {self._dialect.micros(f'{which}(t.last_seen)')} FROM aggregated_logs t", [])  # noqa: S608  only constants
        return rows[0][0] if rows else None

    async def _inside(self, span: Span) -> list[tuple[str, str, str, str, int]]:
        where = await self._conditions(*span)
        where.since("t.first_seen", span[0])
        where.until("t.last_seen", span[1])
        rows = await self._fetch(
            f"SELECT {_ID}, coalesce(min(a.final_pattern), min(t.message_pattern)), coalesce(t.level, ''), "
            f"coalesce(t.source, ''), {_LOGS} {_TABLES} {where} GROUP BY 1, 3, 4",
            where.values,
        )
        return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]

    async def _edges(self, span: Span) -> list[tuple[str, str, str, str, float]]:
        """Rows that begin before the span or end after it, with the part of their logs that lies in it."""
        where, moment, micros = await self._conditions(*span), self._dialect.moment, self._dialect.micros
        since, until = moment(where.value(span[0])), moment(where.value(span[1]))
        where.add(f"(t.first_seen < {since} OR t.last_seen >= {until})")
        rows = await self._fetch(
            f"SELECT {_ID}, coalesce(a.final_pattern, t.message_pattern), coalesce(t.level, ''), "
            f"coalesce(t.source, ''), coalesce(t.count, 1), {micros('t.first_seen')}, {micros('t.last_seen')}, "
            f"{micros('t.bucket')}, {self._dialect.json('t.minutes')} {_TABLES} {where} LIMIT {MOST_EDGES}",
            where.values,
        )
        parts = [(r[0], r[1], r[2], r[3], _part(span, *r[4:])) for r in rows]
        return [part for part in parts if part[4]]

    async def _first_seen(self, ids: list[str]) -> Rows:
        if not ids:
            return []
        where = await self._conditions(None, None)
        where.one_of("t.pattern_id", list(await self._with_earlier(ids)))
        return await self._fetch(
            f"SELECT {_ID}, {self._dialect.micros('min(t.first_seen)')} {_TABLES} {where} GROUP BY 1", where.values
        )

    async def _with_earlier(self, ids: Iterable[str]) -> dict[str, str]:
        """These ids and their earlier ones, each with the newest."""
        ids = list(ids)
        where = Where(self._dialect, "final_id <> old_id")
        where.one_of("final_id", ids)
        rows = await self._fetch(f"SELECT old_id, final_id FROM pattern_aliases {where}", where.values)  # noqa: S608  only constants and parameter numbers
        return {one: one for one in ids} | {row[0]: row[1] for row in rows}

    async def shares(self, query: CompareQuery, counted: Counted) -> Shares:
        """The values of metadata and variables of the most frequent patterns."""
        sums = {n: (sum(one.before.values()), sum(one.after.values())) for n, one in counted.patterns.items()}
        frequent = [name for name, counts in sums.items() if min(counts) >= _ENOUGH]
        frequent.sort(key=lambda name: -sum(sums[name]))
        shares = Shares()
        shares.complete = len(frequent) <= MOST_VALUES
        if not frequent:
            return shares
        ids = await self._with_earlier(frequent[:MOST_VALUES])
        json = self._dialect.json
        for side, span in ((0, (query.before_since, query.before_until)), (1, (query.since, query.until))):
            where = await self._conditions(*span)
            where.one_of("t.pattern_id", list(ids))
            where.since("t.first_seen", span[0])
            where.until("t.last_seen", span[1])
            rows = await self._fetch(
                f"SELECT {_ID}, {json('t.metadata')}, {json('t.variables')} {_TABLES} {where} "
                f"ORDER BY t.last_seen DESC LIMIT {MOST_ROWS + 1}",
                where.values,
            )
            shares.complete = shares.complete and len(rows) <= MOST_ROWS
            await shares.add(side, rows[:MOST_ROWS])
            if not query.q:
                old = await self._old_details.within(list(ids), span, query.level, query.source, query.sources)
                texts = await asyncio.to_thread(_texts, old)
                named = [(ids[o.pattern_id], *text) for o, text in zip(old, texts, strict=True) if o.pattern_id in ids]
                await shares.add(side, named)
        return shares

    async def samples(self, ids: Iterable[str]) -> dict[str, list[str]]:
        """The latest samples of some patterns."""
        ids = list(ids)
        if not ids:
            return {}
        where = await self._conditions(self._since, None)
        where.one_of("t.pattern_id", list(await self._with_earlier(ids)))
        where.add("t.sample_messages IS NOT NULL")
        rows = await self._fetch(
            f"SELECT id, sample_messages FROM (SELECT {_ID} AS id, "  # noqa: S608  only constants and parameter numbers
            f"{self._dialect.json('t.sample_messages')} AS sample_messages, "
            f"row_number() OVER (PARTITION BY {_ID} ORDER BY t.last_seen DESC, t.id DESC) AS place "
            f"{_TABLES} {where}) AS latest WHERE place = 1",
            where.values,
        )
        return {name: messages_of(messages) for name, messages in rows}


def _texts(rows: list[Aggregate]) -> list[tuple[bytes, bytes]]:
    encode = msgspec.json.encode
    return [(encode(to_json(row.metadata)), encode(to_json(row.variables))) for row in rows]


def _part(span: Span, count: int, first: int, last: int, bucket: int, minutes: str | bytes | None) -> float:
    """How many logs of a row came within the span, by its minutes; one that a span cuts is divided by its time."""
    known = minutes_of(minutes, count)
    within = 0.0
    for place, logs in enumerate(known):
        if logs:
            start = bucket + place * _MINUTE
            within += logs * _overlap(span, max(start, first), min(start + _MINUTE, last))
    rest = count - sum(known)
    return within + rest * _overlap(span, first, last)


def _overlap(span: Span, first: int, last: int) -> float:
    """The part of the time from `first` to `last` that lies within a span."""
    if last <= first:
        return float(span[0] <= first < span[1])
    return max(0, min(span[1], last) - max(span[0], first)) / (last - first)

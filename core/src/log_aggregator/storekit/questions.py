"""The questions of the `Store` protocol as SQL, and how rows of the answers become their shapes.

Tables and columns are those that every store of this house has: `aggregated_logs`, `pattern_aliases`
(with the resolved `final_id` and `final_pattern`) and `log_anomalies`. Other programs may have written to
`aggregated_logs`: a missing count counts as one log, of a missing time the other one holds.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from log_aggregator.model.aggregate import Aggregate, Anomaly, Key
from log_aggregator.model.summary import to_json
from log_aggregator.search import Term, parse_search
from log_aggregator.store import AnomalyQuery, PatternDetail, PatternPage, PatternQuery, PatternRow, Series, SeriesQuery
from log_aggregator.storekit.columns import decoded, messages_of, stored_aggregate
from log_aggregator.storekit.cursor import read_cursor, write_cursor
from log_aggregator.storekit.details import merged_detail
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.searching import add_pattern_terms, add_row_terms, seen_conditions
from log_aggregator.storekit.series import SeriesOfRows

DETAIL_ROWS = 200
"""The metadata and samples of a pattern are merged from this many of its latest rows."""

_MICROS = 1_000_000
_ID = "coalesce(a.final_id, t.pattern_id)"
_NAMED = "t.pattern_id IS NOT NULL"
_LOGS = "CAST(sum(coalesce(t.count, 1)) AS bigint)"
_FIRST, _LAST = "coalesce(t.first_seen, t.last_seen, t.bucket)", "coalesce(t.last_seen, t.first_seen, t.bucket)"
_TIMES = {"started", "updated", "resolved"}
_TABLES = "FROM aggregated_logs t LEFT JOIN pattern_aliases a ON a.old_id = t.pattern_id"

Rows = Sequence[Sequence[Any]]
Fetch = Callable[[str, list[Any]], Awaitable[Rows]]


class _Part(NamedTuple):
    level: str
    source: str
    category: str
    logs: int


class Questions:
    """The `Store` protocol but for `health`: derive from it, give it SQL's differences, and add that.

    `fetch(sql, parameters)` runs a query and gives its rows; it raises `RetryableError` when the database is out
    of reach. `max_samples` is the setting of that name.
    """

    by_source = True

    def __init__(self, dialect: Dialect, fetch: Fetch, max_samples: int) -> None:
        self._dialect = dialect
        self._fetch = fetch
        self._max_samples = max_samples

    async def patterns(self, query: PatternQuery) -> PatternPage:
        """One page of patterns. Raises `CursorError` for a cursor that is not of this order, `SearchError`."""
        micros = self._dialect.micros
        terms = parse_search(query.q or "")
        where = self._pattern_filter(query)
        await self.add_pattern_terms(where, terms, query.since, query.sources)
        if query.ids is not None:
            where.add(self._dialect.among(_ID, where.value(self._dialect.list_value(list(query.ids)))))
        if query.not_ids:
            where.add(f"NOT {self._dialect.among(_ID, where.value(self._dialect.list_value(list(query.not_ids))))}")
        rank = _LOGS if query.order == "count" else micros(f"max({_LAST})")
        conditions = seen_conditions(where, terms, micros(f"max({_LAST})"), time.time_ns() // 1000)
        if query.cursor is not None:
            after, after_id = read_cursor(query.cursor, query.order)
            first, second = where.value(after), where.value(after_id)
            conditions.append(f"({rank} < {first} OR ({rank} = {first} AND {_ID} < {second}))")
        having = f"HAVING {' AND '.join(conditions)}" if conditions else ""
        limit = where.value(query.limit + 1)
        rows = await self._fetch(
            f"SELECT {_ID}, coalesce(min(a.final_pattern), min(t.message_pattern)), {_LOGS}, "
            f"{micros(f'min({_FIRST})')}, {micros(f'max({_LAST})')}, {rank} "
            f"{_TABLES} {where} GROUP BY {_ID} {having} ORDER BY 6 DESC, 1 DESC LIMIT {limit}",
            where.values,
        )
        page = rows[: query.limit]
        found = [
            PatternRow(
                pattern_id=r[0], pattern=r[1], count=r[2], first_seen=r[3], last_seen=r[4], levels={}, sources={}
            )
            for r in page
        ]
        await self._fill(found, query)
        more = len(rows) > query.limit
        return PatternPage(patterns=found, cursor=write_cursor(query.order, page[-1][5], page[-1][0]) if more else None)

    async def pattern(self, pattern_id: str, *, sources: tuple[str, ...] = ()) -> PatternDetail | None:
        """One pattern by its id or an earlier one, with all its rows counted, or those of these sources."""
        final_id, earlier = await self.family(pattern_id)
        where = Where(self._dialect, _NAMED)
        where.one_of("t.pattern_id", [final_id, *earlier])
        where.sources("t.source", sources)
        micros = self._dialect.micros
        rows = await self._fetch(
            f"SELECT coalesce(min(a.final_pattern), min(t.message_pattern)), {_LOGS}, "
            f"{micros(f'min({_FIRST})')}, {micros(f'max({_LAST})')} {_TABLES} {where} HAVING count(*) > 0",
            where.values,
        )
        if not rows:
            return None
        pattern, count, first_seen, last_seen = rows[0]
        detail = PatternDetail(
            pattern_id=final_id,
            pattern=pattern,
            count=count,
            first_seen=first_seen,
            last_seen=last_seen,
            levels={},
            sources={},
            aliases=sorted(earlier),
        )
        await self._fill([detail], PatternQuery(sources=sources))
        latest = merged_detail(await self._latest(where), final_id, self._max_samples)
        detail.metadata, detail.variables = to_json(latest.metadata), to_json(latest.variables)
        detail.samples, detail.sample_logs = list(latest.samples), latest.sample_logs
        return detail

    async def family(self, pattern_id: str) -> tuple[str, list[str]]:
        """The newest id of a pattern, and its earlier ids."""
        known = await self._fetch("SELECT final_id FROM pattern_aliases WHERE old_id = $1", [pattern_id])
        final_id: str = known[0][0] if known else pattern_id
        return final_id, await self._earlier_ids([final_id])

    async def series(self, query: SeriesQuery) -> list[Series]:
        """Counts a step; `since` and `until` are in microseconds, `since` is rounded down to a step."""
        family = None
        if query.pattern_id is not None:
            final_id, earlier = await self.family(query.pattern_id)
            family = [final_id, *earlier]
        return await SeriesOfRows(self._dialect, self._fetch).ask(query, family)

    async def anomalies(self, query: AnomalyQuery) -> list[dict[str, Any]]:
        """Anomalies with the fields of `Anomaly`, newest first."""
        where = Where(self._dialect, "id IS NOT NULL")
        if query.pattern_id is not None:
            final_id, earlier = await self.family(query.pattern_id)
            where.one_of("pattern_id", [final_id, *earlier])
        where.since("updated", query.since)
        where.until("started", query.until)
        where.equal("state", query.state)
        where.equal("tier", query.tier)
        where.equal("source", query.source)
        where.sources("source", query.sources)
        limit = where.value(query.limit)
        started = "started" if query.since is None else self._dialect.unindexed("started")
        names = Anomaly.__struct_fields__
        columns = ", ".join(self._dialect.micros(name) if name in _TIMES else name for name in names)
        rows = await self._fetch(
            f"SELECT {columns} FROM log_anomalies {where} ORDER BY {started} DESC, id DESC LIMIT {limit}",  # noqa: S608  only constants and parameter numbers
            where.values,
        )
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [anomaly | {"details": decoded(anomaly["details"])} for anomaly in found]

    async def _earlier_ids(self, final_ids: list[str]) -> list[str]:
        """The ids, other than these, whose rows belong to these patterns now."""
        where = Where(self._dialect, "final_id <> old_id")
        where.one_of("final_id", final_ids)
        rows = await self._fetch(f"SELECT old_id FROM pattern_aliases {where}", where.values)  # noqa: S608  only constants and parameter numbers
        return [row[0] for row in rows]

    def _pattern_filter(self, query: PatternQuery, stored_ids: list[str] | None = None) -> Where:
        where = Where(self._dialect, _NAMED)
        where.since("t.last_seen", query.since)
        if stored_ids is not None:
            where.one_of("t.pattern_id", stored_ids)
        where.until("t.first_seen", query.until)
        where.equal("t.level", query.level)
        where.equal("t.source", query.source)
        where.sources("t.source", query.sources)
        where.equal("t.category", query.category)
        add_row_terms(where, self._dialect, parse_search(query.q or ""))
        return where

    async def add_pattern_terms(
        self, where: Where, terms: Iterable[Term], since: int | None, sources: tuple[str, ...]
    ) -> None:
        """Take the conditions of a search on whole patterns. Samples of these sources are looked at from `since` on."""

        def within() -> Where:
            rows = Where(self._dialect, _NAMED)
            rows.since("t.last_seen", since)
            rows.sources("t.source", sources)
            return rows

        await add_pattern_terms(where, self._dialect, terms, self._fetch, within)

    async def _fill(self, patterns: list[PatternRow], query: PatternQuery) -> None:
        """Add levels, sources, category, tags and samples, over the same rows as the counts."""
        if not patterns:
            return
        by_id = {pattern.pattern_id: pattern for pattern in patterns}
        ids = list(by_id)
        # No index serves _ID, an expression over a join: stored ids lead to the rows, _ID leaves out what moved since.
        where = self._pattern_filter(query, [*ids, *await self._earlier_ids(ids)])
        where.one_of(_ID, ids)
        parts = await self._fetch(
            f"SELECT {_ID}, coalesce(t.level, ''), coalesce(t.source, ''), coalesce(t.category, ''), "
            f"{_LOGS} {_TABLES} {where} GROUP BY 1, 2, 3, 4",
            where.values,
        )
        of_pattern: dict[str, list[_Part]] = {}
        for pattern_id, *part in parts:
            of_pattern.setdefault(pattern_id, []).append(_Part(*part))
        for pattern_id, its_parts in of_pattern.items():
            pattern = by_id[pattern_id]
            pattern.levels = _totals((part.level, part.logs) for part in its_parts)
            pattern.sources = _totals((part.source, part.logs) for part in its_parts)
            pattern.category = next(
                iter(_totals((part.category, part.logs) for part in its_parts if part.category)), ""
            )
        tags = await self._fetch(
            f"SELECT {_ID}, tag.key, CAST(sum(CAST(tag.value AS bigint)) AS bigint) "
            f"{_TABLES} {self._dialect.each_tag()} {where} GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2",
            where.values,
        )
        for pattern_id, name, count in tags:
            by_id[pattern_id].tags[name] = count
        json = self._dialect.json
        samples = await self._fetch(
            f"SELECT id, sample_messages FROM (SELECT {_ID} AS id, {json('t.sample_messages')} AS sample_messages, "  # noqa: S608  only constants and parameter numbers
            f"row_number() OVER (PARTITION BY {_ID} ORDER BY t.last_seen DESC, t.id DESC) AS place "
            f"{_TABLES} {where} AND t.sample_messages IS NOT NULL) AS latest WHERE place = 1",
            where.values,
        )
        for pattern_id, messages in samples:
            by_id[pattern_id].samples = messages_of(messages)

    async def _latest(self, where: Where) -> list[Aggregate]:
        """The latest rows of a pattern, newest first."""
        micros, json = self._dialect.micros, self._dialect.json
        columns = ", ".join(json(f"t.{name}") for name in ("metadata", "sample_messages"))
        more = ", ".join(json(f"t.{name}") for name in ("variables", "sample_details"))
        # Ordered by an expression: the index of last_seen would be walked from now to where an ended pattern stopped.
        rows = await self._fetch(
            f"SELECT t.pattern_id, coalesce(t.level, ''), coalesce(t.source, ''), t.message_pattern, t.count, "
            f"{micros(_FIRST)}, {micros(_LAST)}, {columns}, t.latest_sample, {more} "
            f"{_TABLES} {where} ORDER BY {_LAST} DESC, t.id DESC LIMIT {DETAIL_ROWS}",
            where.values,
        )
        return [_unkeyed(*row) for row in rows]


def _unkeyed(pattern_id: str, level: str, source: str, pattern: str, *row: Any) -> Aggregate:
    count, first_seen, last_seen, metadata, samples, latest, variables, details = row
    return stored_aggregate(
        Key(0, pattern_id, level, source), pattern, count, first_seen, last_seen, metadata, samples, latest,
        variables=variables, sample_details=details,
    )  # fmt: skip


def _totals(parts: Any) -> dict[str, int]:
    totals: dict[str, int] = {}
    for name, count in parts:
        totals[name] = totals.get(name, 0) + count
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

"""The questions of the `Store` protocol as SQL, and how rows of the answers become their shapes.

Tables and columns are those that every store of this house has: `aggregated_logs`, `pattern_aliases`
(with the resolved `final_id` and `final_pattern`) and `log_anomalies`. Other programs may have written to
`aggregated_logs`: a missing count counts as one log, of a missing time the other one holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

from log_aggregator.model.aggregate import Aggregate, Anomaly, Key
from log_aggregator.model.summary import to_json
from log_aggregator.search import Term
from log_aggregator.store import AnomalyQuery, PatternDetail, PatternPage, PatternQuery, PatternRow, Series, SeriesQuery
from log_aggregator.storekit.columns import decoded, messages_of, stored_aggregate
from log_aggregator.storekit.cursor import write_cursor
from log_aggregator.storekit.details import merged_detail
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.ranges import FIRST, LAST, RowsOfRange
from log_aggregator.storekit.series import SeriesOfRows
from log_aggregator.storekit.thinning import DetailsOfOldRows
from log_aggregator.storekit.totals import LATEST_ROWS, Fetch, Rows, Totals, answers

_TIMES = {"started", "updated", "resolved"}


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
        self._totals = Totals(dialect, self._ask)
        self._rows_of_range = RowsOfRange(dialect, self._ask)
        self._old_details = DetailsOfOldRows(dialect, self._ask)

    async def _ask(self, sql: str, values: list[Any]) -> Rows:
        return await self._fetch(sql, values)

    async def patterns(self, query: PatternQuery) -> PatternPage:
        """One page of patterns. Raises `CursorError` for a cursor that is not of this order, `SearchError`."""
        rows = await self._asked(query).page(query)
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
        rows = await self._totals.of_family([final_id, *earlier], sources)
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
        ids = [final_id, *earlier]
        described = await self._latest(ids, sources), await self._old_details.latest(ids, sources)
        latest = await asyncio.to_thread(merged_detail, *described, final_id, self._max_samples)
        detail.metadata, detail.variables = to_json(latest.metadata), to_json(latest.variables)
        detail.samples, detail.sample_logs = list(latest.samples), latest.sample_logs
        return detail

    async def family(self, pattern_id: str) -> tuple[str, list[str]]:
        """The newest id of a pattern, and its earlier ids."""
        known = await self._fetch("SELECT final_id FROM pattern_aliases WHERE old_id = $1", [pattern_id])
        final_id: str = known[0][0] if known else pattern_id
        return final_id, list(await self._earlier_ids([final_id]))

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

    async def _earlier_ids(self, final_ids: list[str]) -> dict[str, str]:
        """The ids, other than these, whose rows belong to these patterns now, each with the one it belongs to."""
        where = Where(self._dialect, "final_id <> old_id")
        where.one_of("final_id", final_ids)
        rows = await self._fetch(f"SELECT old_id, final_id FROM pattern_aliases {where}", where.values)  # noqa: S608  only constants and parameter numbers
        return {row[0]: row[1] for row in rows}

    def _asked(self, query: PatternQuery) -> Totals | RowsOfRange:
        """What answers: the summary, or the rows of a time range or of values."""
        return self._totals if answers(query) else self._rows_of_range

    def _pattern_filter(self, query: PatternQuery) -> Where:
        return self._rows_of_range.where(query)

    async def add_pattern_terms(
        self, where: Where, terms: Iterable[Term], since: int | None, sources: tuple[str, ...]
    ) -> None:
        """Add the conditions of a search on whole patterns. Samples of these sources are looked at from `since` on."""
        await self._rows_of_range.add_pattern_terms(where, terms, since, sources)

    async def _fill(self, patterns: list[PatternRow], query: PatternQuery) -> None:
        """Add levels, sources, category, tags and samples, over the same rows as the counts."""
        if not patterns:
            return
        by_id = {pattern.pattern_id: pattern for pattern in patterns}
        ids = list(by_id)
        finals = {one: one for one in ids} | await self._earlier_ids(ids)
        asked = self._asked(query)
        of_pattern: dict[str, list[_Part]] = {}
        for stored_id, *part in await asked.parts(query, list(finals)):
            of_pattern.setdefault(finals[stored_id], []).append(_Part(*part))
        for pattern_id, its_parts in of_pattern.items():
            pattern = by_id[pattern_id]
            pattern.levels = _totals((part.level, part.logs) for part in its_parts)
            pattern.sources = _totals((part.source, part.logs) for part in its_parts)
            pattern.category = next(
                iter(_totals((part.category, part.logs) for part in its_parts if part.category)), ""
            )
        of_pattern_tags: dict[str, list[tuple[str, int]]] = {}
        for stored_id, name, count in await asked.tags(query, list(finals)):
            of_pattern_tags.setdefault(finals[stored_id], []).append((name, count))
        for pattern_id, tags in of_pattern_tags.items():
            by_id[pattern_id].tags = _totals(tags)
        latest: dict[str, int] = {}
        for stored_id, last_seen, messages in await asked.samples(query, list(finals)):
            pattern_id = finals[stored_id]
            if last_seen >= latest.get(pattern_id, last_seen):
                latest[pattern_id] = last_seen
                by_id[pattern_id].samples = messages_of(messages)

    async def _latest(self, ids: list[str], sources: tuple[str, ...]) -> list[Aggregate]:
        """The latest rows of these stored ids, newest first."""
        micros, json = self._dialect.micros, self._dialect.json
        summaries, described = (
            ", ".join(json(f"t.{name}") for name in names)
            for names in (("metadata", "sample_messages"), ("variables", "sample_details"))
        )
        rows = await self._totals.latest(
            "t.pattern_id, coalesce(t.level, ''), coalesce(t.source, ''), t.message_pattern, t.count, "
            f"{micros(FIRST)}, {micros(LAST)}, {summaries}, t.latest_sample, {described}",
            ids,
            sources,
        )
        return sorted([_unkeyed(*row) for row in rows], key=lambda row: row.last_seen, reverse=True)[:LATEST_ROWS]


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

"""Patterns of a time range, read from the rows of `aggregated_logs`.

Other programs may have written to it: a missing count counts as one log, of a missing time the other one holds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from log_aggregator.search import Term, parse_search
from log_aggregator.store import PatternQuery
from log_aggregator.storekit.cursor import read_cursor
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.searching import add_pattern_terms, add_row_terms, seen_conditions
from log_aggregator.storekit.totals import Fetch, Rows

FIRST, LAST = "coalesce(t.first_seen, t.last_seen, t.bucket)", "coalesce(t.last_seen, t.first_seen, t.bucket)"
"""The first and last time of a row."""

_ID = "coalesce(a.final_id, t.pattern_id)"
_PATTERN = "coalesce(a.final_pattern, t.message_pattern)"
_LOGS = "CAST(sum(coalesce(t.count, 1)) AS bigint)"
_TABLES = "FROM aggregated_logs t LEFT JOIN pattern_aliases a ON a.old_id = t.pattern_id"


class RowsOfRange:
    """Asks for patterns of a time range or a search. Its answers have the form of those of `Totals`."""

    def __init__(self, dialect: Dialect, fetch: Fetch) -> None:
        self._dialect = dialect
        self._fetch = fetch
        # The rows are led to by time: in the order of ids, all of them would be read.
        self._stored_id = dialect.unindexed("t.pattern_id")

    async def page(self, query: PatternQuery) -> Rows:
        """Id, pattern, count, first and last time and rank of patterns, one more than asked for."""
        micros = self._dialect.micros
        terms = parse_search(query.q or "")
        where = self.where(query)
        await self.add_pattern_terms(where, terms, query.since, query.sources)
        if query.ids is not None:
            where.add(self._dialect.among(_ID, where.value(self._dialect.list_value(list(query.ids)))))
        if query.not_ids:
            where.add(f"NOT {self._dialect.among(_ID, where.value(self._dialect.list_value(list(query.not_ids))))}")
        rank = _LOGS if query.order == "count" else micros(f"max({LAST})")
        conditions = seen_conditions(where, terms, micros(f"max({LAST})"), time.time_ns() // 1000)
        if query.cursor is not None:
            after, after_id = read_cursor(query.cursor, query.order)
            first, second = where.value(after), where.value(after_id)
            conditions.append(f"({rank} < {first} OR ({rank} = {first} AND {_ID} < {second}))")
        having = f"HAVING {' AND '.join(conditions)}" if conditions else ""
        limit = where.value(query.limit + 1)
        return await self._fetch(
            f"SELECT {_ID}, coalesce(min(a.final_pattern), min(t.message_pattern)), {_LOGS}, "
            f"{micros(f'min({FIRST})')}, {micros(f'max({LAST})')}, {rank} "
            f"{_TABLES} {where} GROUP BY {_ID} {having} ORDER BY 6 DESC, 1 DESC LIMIT {limit}",
            where.values,
        )

    async def parts(self, query: PatternQuery, ids: list[str]) -> Rows:
        """Stored id, level, source, category and count of these stored ids."""
        where = self.where(query, ids)
        return await self._fetch(
            f"SELECT {self._stored_id}, coalesce(t.level, ''), coalesce(t.source, ''), "  # noqa: S608  only constants and parameter numbers
            f"coalesce(t.category, ''), {_LOGS} "
            f"FROM aggregated_logs t {where} GROUP BY 1, 2, 3, 4",
            where.values,
        )

    async def tags(self, query: PatternQuery, ids: list[str]) -> Rows:
        """Stored id, tag and its logs of these stored ids."""
        where = self.where(query, ids)
        return await self._fetch(
            f"SELECT {self._stored_id}, tag.key, CAST(sum(CAST(tag.value AS bigint)) AS bigint) "  # noqa: S608  only constants and parameter numbers
            f"FROM aggregated_logs t {self._dialect.each_tag()} {where} GROUP BY 1, 2",
            where.values,
        )

    async def samples(self, query: PatternQuery, ids: list[str]) -> Rows:
        """Stored id, last time and samples of the latest row with samples of these stored ids."""
        where = self.where(query, ids)
        json, micros = self._dialect.json, self._dialect.micros
        return await self._fetch(
            f"SELECT id, {micros('last_seen')}, sample_messages FROM ("  # noqa: S608  only constants and parameter numbers
            f"SELECT {self._stored_id} AS id, t.last_seen, {json('t.sample_messages')} AS sample_messages, "
            f"row_number() OVER (PARTITION BY {self._stored_id} ORDER BY t.last_seen DESC, t.id DESC) AS place "
            f"FROM aggregated_logs t {where} AND t.sample_messages IS NOT NULL) AS latest WHERE place = 1",
            where.values,
        )

    async def add_pattern_terms(
        self, where: Where, terms: Iterable[Term], since: int | None, sources: tuple[str, ...]
    ) -> None:
        """Add the conditions of a search on whole patterns. Samples of these sources are looked at from `since` on."""

        def within() -> tuple[Where, bool]:
            rows = Where(self._dialect, "t.pattern_id IS NOT NULL")
            rows.since("t.last_seen", since)
            rows.sources("t.source", sources)
            return rows, since is not None

        await add_pattern_terms(where, self._dialect, terms, self._fetch, within)

    def where(self, query: PatternQuery, ids: list[str] | None = None) -> Where:
        """The rows of a query, of these stored ids where they are given."""
        where = Where(self._dialect, "t.pattern_id IS NOT NULL")
        where.since("t.last_seen", query.since)
        if ids is not None:
            where.one_of("t.pattern_id", ids)
        where.until("t.first_seen", query.until)
        where.equal("t.level", query.level)
        where.equal("t.source", query.source)
        where.sources("t.source", query.sources)
        where.equal("t.category", query.category)
        add_row_terms(where, self._dialect, parse_search(query.q or ""))
        return where

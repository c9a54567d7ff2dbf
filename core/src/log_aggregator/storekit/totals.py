"""Patterns over all time, read from `pattern_totals`: a row for each pattern, level, source and category.

Its columns are `pattern_id`, `level`, `source`, `category`, `count`, `first_seen` and `last_seen`; `pattern_hours` has
an `hour`, too; the texts of patterns are in `pattern_texts`. A store keeps all three equal to the rows of
`aggregated_logs`, whoever writes these.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from log_aggregator.search import parse_search
from log_aggregator.store import PatternQuery
from log_aggregator.storekit.cursor import read_cursor
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.searching import Columns, add_pattern_terms, add_row_terms, seen_conditions

LATEST_ROWS = 100
"""Metadata, variables and samples of a pattern are those of this many of its latest rows, and of old details."""

TAGGED_ROWS = 50
"""The tags of a pattern in a list are those of this many of its latest rows: a page of patterns reads all of them."""

TAGGED_ROWS_IN_ALL = 200
"""A pattern that is asked for alone, or with few others, has so many more."""

Rows = Sequence[Sequence[Any]]
Fetch = Callable[[str, list[Any]], Awaitable[Rows]]

_ID = "coalesce(a.final_id, s.pattern_id)"
_PATTERN = "coalesce(a.final_pattern, p.message_pattern, s.message_pattern, '')"
_COLUMNS = Columns(_ID, _PATTERN, "s.pattern_id")
_SUM = "CAST(sum(t.count) AS bigint)"


class Totals:
    """Asks for patterns without a time range."""

    def __init__(self, dialect: Dialect, fetch: Fetch) -> None:
        self._dialect = dialect
        self._fetch = fetch

    async def page(self, query: PatternQuery) -> Rows:
        """Id, pattern, count, first and last time and rank of patterns, one more than asked for."""
        where = self._where(query)
        rows_of_page = Where(self._dialect, "s.logs > 0")
        rows_of_page.values = where.values
        await self._add_pattern_terms(rows_of_page, query)
        micros = self._dialect.micros
        logs, last = "CAST(sum(s.logs) AS bigint)", micros("max(s.last_seen)")
        rank = logs if query.order == "count" else last
        conditions = seen_conditions(where, parse_search(query.q or ""), last, time.time_ns() // 1000)
        if query.cursor is not None:
            after, after_id = read_cursor(query.cursor, query.order)
            first, second = where.value(after), where.value(after_id)
            conditions.append(f"({rank} < {first} OR ({rank} = {first} AND {_ID} < {second}))")
        having = f"HAVING {' AND '.join(conditions)}" if conditions else ""
        limit = where.value(query.limit + 1)
        is_text = any(term.field == "text" for term in parse_search(query.q or ""))
        texts = "LEFT JOIN pattern_texts p ON p.pattern_id = s.pattern_id" if is_text else ""
        return await self._fetch(
            "SELECT q.id, coalesce((SELECT min(a.final_pattern) FROM pattern_aliases a WHERE a.final_id = q.id), "  # noqa: S608  only constants and parameter numbers
            "(SELECT p.message_pattern FROM pattern_texts p WHERE p.pattern_id = q.id), q.pattern, ''), "
            f"q.logs, q.first_seen, q.last_seen, q.place FROM (SELECT {_ID} AS id, min(s.message_pattern) AS pattern, "
            f"{logs} AS logs, {micros('min(s.first_seen)')} AS first_seen, {last} AS last_seen, {rank} AS place "
            f"FROM {self._of_each(where, self._table(query))} LEFT JOIN pattern_aliases a ON a.old_id = s.pattern_id "
            f"{texts} {rows_of_page} GROUP BY {_ID} {having} ORDER BY 6 DESC, 1 DESC LIMIT {limit}) AS q "
            "ORDER BY 6 DESC, 1 DESC",
            where.values,
        )

    def _table(self, query: PatternQuery) -> str:
        """The smallest table that knows what is asked for."""
        by_source = query.source is not None or query.sources or query.category is not None
        by_term = any(term.field in ("source", "category") for term in parse_search(query.q or ""))
        return self._dialect.totals() if by_source or by_term else self._dialect.levels()

    async def _add_pattern_terms(self, where: Where, query: PatternQuery) -> None:
        def within() -> tuple[Where, bool]:
            rows = Where(self._dialect, "t.pattern_id IS NOT NULL")
            rows.sources("t.source", query.sources)
            return rows, False

        terms = parse_search(query.q or "")
        await add_pattern_terms(where, self._dialect, terms, self._fetch, within, _COLUMNS)
        if query.ids is not None:
            where.add(self._dialect.among(_ID, where.value(self._dialect.list_value(list(query.ids)))))
        if query.not_ids:
            where.add(f"NOT {self._dialect.among(_ID, where.value(self._dialect.list_value(list(query.not_ids))))}")

    def _of_each(self, where: Where, table: str) -> str:
        """The totals of each pattern id, from one of the tables of the summary."""
        text = "min(t.message_pattern)" if "message_pattern" in table else "CAST(NULL AS text)"
        return (
            "(SELECT t.pattern_id, sum(t.count) AS logs, min(t.first_seen) AS first_seen, "  # noqa: S608  only constants and parameter numbers
            f"max(t.last_seen) AS last_seen, {text} AS message_pattern "
            f"FROM {table} t {where} GROUP BY t.pattern_id) AS s"
        )

    async def of_family(self, ids: list[str], sources: tuple[str, ...]) -> Rows:
        """Pattern, count, first and last time of one pattern by all its ids; nothing when it has no logs."""
        where = self._where(PatternQuery(sources=sources), ids)
        micros = self._dialect.micros
        return await self._fetch(
            f"SELECT min({_PATTERN}), CAST(sum(s.logs) AS bigint), {micros('min(s.first_seen)')}, "  # noqa: S608  only constants and parameter numbers
            f"{micros('max(s.last_seen)')} FROM {self._of_each(where, self._dialect.totals())} "
            "LEFT JOIN pattern_aliases a ON a.old_id = s.pattern_id "
            "LEFT JOIN pattern_texts p ON p.pattern_id = s.pattern_id WHERE s.logs > 0 HAVING count(*) > 0",
            where.values,
        )

    async def parts(self, query: PatternQuery, ids: list[str]) -> Rows:
        """Stored id, level, source, category and count of these stored ids."""
        where = self._where(query, ids)
        return await self._fetch(
            f"SELECT t.pattern_id, t.level, t.source, t.category, {_SUM} "  # noqa: S608  only constants and parameter numbers
            f"FROM {self._dialect.totals()} t {where} GROUP BY 1, 2, 3, 4 HAVING sum(t.count) > 0",
            where.values,
        )

    async def tags(self, query: PatternQuery, ids: list[str]) -> Rows:
        """Stored id, tag and its logs in the latest rows of these stored ids."""
        where, latest = self._latest(query, ids)
        most = max(TAGGED_ROWS, TAGGED_ROWS_IN_ALL // len(ids))
        return await self._fetch(
            f"SELECT i.id, tag.key, CAST(sum(CAST(tag.value AS bigint)) AS bigint) FROM {self._each_id(where, ids)} i "  # noqa: S608  only constants and parameter numbers
            f"JOIN aggregated_logs t ON {self._dialect.any_of('t.id', f'{latest} LIMIT {most}')} "
            f"{self._dialect.each_tag()} GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2",
            where.values,
        )

    async def samples(self, query: PatternQuery, ids: list[str]) -> Rows:
        """Stored id, last time and samples of the latest row with samples of these stored ids."""
        where, latest = self._latest(query, ids)
        json, micros = self._dialect.json, self._dialect.micros
        one = latest.replace("ORDER BY", "AND r.sample_messages IS NOT NULL ORDER BY")
        return await self._fetch(
            f"SELECT i.id, {micros('t.last_seen')}, {json('t.sample_messages')} FROM {self._each_id(where, ids)} i "  # noqa: S608  only constants and parameter numbers
            f"JOIN aggregated_logs t ON t.id = ({one} LIMIT 1)",
            where.values,
        )

    async def latest(self, columns: str, ids: list[str], sources: tuple[str, ...]) -> Rows:
        """Some columns of the latest rows of these stored ids, `LATEST_ROWS` of each."""
        where, latest = self._latest(PatternQuery(sources=sources), ids)
        return await self._fetch(
            f"SELECT {columns} FROM {self._each_id(where, ids)} i "  # noqa: S608  only constants and parameter numbers
            f"JOIN aggregated_logs t ON {self._dialect.any_of('t.id', f'{latest} LIMIT {LATEST_ROWS}')}",
            where.values,
        )

    def _latest(self, query: PatternQuery, ids: list[str]) -> tuple[Where, str]:
        where = Where(self._dialect, "r.pattern_id = i.id")
        where._leads = True
        where.equal("r.level", query.level)
        where.equal("r.source", query.source)
        where.sources("r.source", query.sources)
        where.equal("r.category", query.category)
        add_row_terms(where, self._dialect, parse_search(query.q or ""), "r")
        return where, f"SELECT r.id FROM aggregated_logs r {where} ORDER BY r.bucket DESC, r.group_key DESC"  # noqa: S608  only constants and parameter numbers

    def _each_id(self, where: Where, ids: list[str]) -> str:
        return self._dialect.each_id(where.value(self._dialect.list_value(ids)))

    def _where(self, query: PatternQuery, ids: list[str] | None = None) -> Where:
        where = Where(self._dialect, "t.pattern_id IS NOT NULL")
        if ids is not None:
            where.one_of("t.pattern_id", ids)
        where.equal("t.level", query.level)
        where.equal("t.source", query.source)
        where.sources("t.source", query.sources)
        where.equal("t.category", query.category)
        add_row_terms(where, self._dialect, parse_search(query.q or ""))
        return where


def answers(query: PatternQuery) -> bool:
    """Whether `Totals` can answer: no time is asked for, and no value of metadata or variables."""
    if query.since is not None or query.until is not None:
        return False
    return not any(term.field in ("meta", "var") for term in parse_search(query.q or ""))

"""A store's answers for a person on call: marks, triage and comparisons, for stores that derive from `Questions`."""

from __future__ import annotations

from log_aggregator.oncall import (
    CompareQuery,
    Comparison,
    Mark,
    MarkQuery,
    Triage,
    TriageChange,
    ValueCounts,
    ValuesQuery,
)
from log_aggregator.search import parse_search
from log_aggregator.store import PatternQuery
from log_aggregator.storekit.comparing import compare_rows
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.notes import Notes, Write
from log_aggregator.storekit.questions import Questions
from log_aggregator.storekit.spans import SpanCounts
from log_aggregator.storekit.totals import Fetch
from log_aggregator.storekit.values import count_values


class OnCallQuestions(Questions):
    """`Questions`, and those of `OnCallStore`. `write(statements)` runs SQL in one transaction."""

    def __init__(self, dialect: Dialect, fetch: Fetch, max_samples: int, write: Write) -> None:
        super().__init__(dialect, fetch, max_samples)
        self._notes = Notes(dialect, fetch, write)

    async def marks(self, query: MarkQuery) -> list[Mark]:
        """Marks, newest first."""
        return await self._notes.marks(query)

    async def add_mark(self, mark: Mark) -> None:
        """Keep a mark."""
        await self._notes.add_mark(mark)

    async def remove_mark(self, mark_id: str) -> bool:
        """Forget a mark; whether there was one."""
        return await self._notes.remove_mark(mark_id)

    async def triage(self, pattern_id: str | None = None) -> dict[str, Triage]:
        """What is stored of all triaged patterns, by their newest ids; or of one."""
        if pattern_id is None:
            return await self._notes.triage()
        final_id, earlier = await self.family(pattern_id)
        return await self._notes.triage(final_id, earlier)

    async def change_triage(self, pattern_id: str, change: TriageChange) -> Triage:
        """Change fields of a pattern's triage, and keep who did and when."""
        final_id, _ = await self.family(pattern_id)
        known = (await self.triage(final_id)).get(final_id, Triage(pattern_id=final_id))
        return await self._notes.change_triage(known, change)

    async def triage_history(self, pattern_id: str) -> list[TriageChange]:
        """The latest changes, newest first."""
        final_id, earlier = await self.family(pattern_id)
        return await self._notes.history([final_id, *earlier])

    async def values(self, query: ValuesQuery) -> ValueCounts:
        """Logs and errors by the value of a key. Raises `SearchError`."""
        terms = parse_search(query.q or "")
        where = self._pattern_filter(
            PatternQuery(**query.model_dump(include={"since", "until", "level", "source", "q", "sources"}))
        )
        await self.add_pattern_terms(where, terms, query.since, query.sources)
        return await count_values(self._dialect, self._fetch, where, query, self._old_details)

    async def compare(self, query: CompareQuery) -> Comparison:
        """What changed between two spans. Raises `SearchError`."""
        terms = parse_search(query.q or "")
        same = query.model_dump(include={"level", "source", "q", "sources"})

        async def conditions(since: int | None, until: int | None) -> Where:
            where = self._pattern_filter(PatternQuery(since=since, until=until, **same))
            await self.add_pattern_terms(where, terms, query.before_since, query.sources)
            return where

        return await compare_rows(SpanCounts(self._dialect, self._fetch, conditions), query)

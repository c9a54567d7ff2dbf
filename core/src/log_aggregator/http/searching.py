"""Lists of patterns: a search or a pasted line, with what people said of each pattern."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

from log_aggregator.http.backend import Backend
from log_aggregator.http.on_call_json import triage_json
from log_aggregator.http.problem import Problem
from log_aggregator.http.store_access import StoreAccess, answered
from log_aggregator.http.time_params import now
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.oncall import OnCallStore, Triage
from log_aggregator.search import SearchError, parse_search
from log_aggregator.store import PatternPage, PatternQuery, PatternRow
from log_aggregator.storekit.cursor import CursorError

_WORDS_OF_A_LINE = 3
_EXPORTED_AT_ONCE = 1000


class Searching:
    """Answers `GET /patterns`."""

    def __init__(self, backend: Backend, access: StoreAccess) -> None:
        self._backend = backend
        self._access = access

    async def patterns(self, query: PatternQuery, states: tuple[str, ...] = ()) -> dict[str, Any]:
        """A page of patterns as JSON. Raises `Problem` 422 for a wrong search or cursor, 503.

        A search that finds nothing, or that is none, may be a log line: then its pattern is found by the stages.
        """
        triaged = await self._triaged()
        if states:
            query = _narrowed(query, triaged, set(states))
        wrong: SearchError | None = None
        try:
            parse_search(query.q or "")
            page = await self._page(query)
        except SearchError as error:
            wrong, page = error, PatternPage(patterns=[])
        document: dict[str, Any] = {}
        text = query.q or ""
        if not page.patterns and query.cursor is None and len(text.split()) >= _WORDS_OF_A_LINE:
            line = await self._backend.explain(text)
            page = await self._of_line(query, line)
            if page.patterns:
                wrong = None
                document["line"] = {"pattern": line["pattern"], "pattern_id": line["pattern_id"]}
        if wrong is not None:
            raise Problem(422, f"q: {wrong}")
        at = now()
        known = [(row, triaged.get(row.pattern_id)) for row in page.patterns]
        shown = [(row, triage.at(at, row.last_seen) if triage else None) for row, triage in known]
        if states:
            shown = [(row, triage) for row, triage in shown if (triage.state if triage else "open") in states]
        rows = [pattern_json(row) | {"triage": triage_json(triage) if triage else None} for row, triage in shown]
        return {"patterns": rows, "cursor": page.cursor} | document

    async def pages(
        self, query: PatternQuery, states: tuple[str, ...], most: int | None
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """The rows of all pages, `most` at most. Raises as `patterns`."""
        left = sys.maxsize if most is None else most
        while left > 0:
            query = query.model_copy(update={"limit": min(_EXPORTED_AT_ONCE, left)})
            page = await self.patterns(query, states)
            left -= len(page["patterns"])
            yield page["patterns"]
            if page["cursor"] is None:
                return
            query = query.model_copy(update={"cursor": page["cursor"]})

    async def triage_of(self, pattern: PatternRow) -> dict[str, Any] | None:
        """What people said of a pattern."""
        store = self._access.store()
        if not isinstance(store, OnCallStore):
            return None
        found = (await answered(store.triage(pattern.pattern_id))).get(pattern.pattern_id)
        return triage_json(found.at(now(), pattern.last_seen)) if found else None

    async def _triaged(self) -> dict[str, Triage]:
        store = self._access.store()
        return await answered(store.triage()) if isinstance(store, OnCallStore) else {}

    async def _of_line(self, query: PatternQuery, line: dict[str, Any]) -> PatternPage:
        if not line["pattern_id"]:
            return PatternPage(patterns=[])
        return await self._page(query.model_copy(update={"q": f"id:{line['pattern_id']}"}))

    async def _page(self, query: PatternQuery) -> PatternPage:
        try:
            return await answered(self._access.store().patterns(query))
        except SearchError:
            raise
        except ValueError as error:
            if query.cursor is None and not isinstance(error, CursorError):
                raise
            raise Problem(422, "cursor: not one of ours; expected the 'cursor' of the page before") from None


def _narrowed(query: PatternQuery, triaged: dict[str, Triage], states: set[str]) -> PatternQuery:
    """Leave out what surely has another state; whether a resolved pattern came again is known with its row."""
    at = now()
    matching = {name for name, triage in triaged.items() if triage.at(at).state in states}
    if states & {"resolved", "returned"}:
        matching |= {name for name, triage in triaged.items() if triage.state == "resolved"}
    if "open" in states:
        return query.model_copy(update={"not_ids": tuple(sorted(triaged.keys() - matching))})
    return query.model_copy(update={"ids": tuple(sorted(matching))})


def pattern_json(row: PatternRow) -> dict[str, Any]:
    """A pattern with its times as ISO 8601."""
    fields = row.model_dump()
    fields["first_seen"] = to_iso(row.first_seen)
    fields["last_seen"] = to_iso(row.last_seen)
    for log in fields.get("sample_logs", ()):
        log["time"] = to_iso(log["time"])
    return fields

"""A store with made-up answers, for the handlers that read."""

from __future__ import annotations

from typing import Any

from log_aggregator.errors import RetryableError
from log_aggregator.store import (
    AnomalyQuery,
    PatternDetail,
    PatternPage,
    PatternQuery,
    PatternRow,
    Series,
    SeriesQuery,
    StoreHealth,
)

ID = "0123456789abcdef"
FIRST, LAST = 1_764_000_000_000_000, 1_764_000_060_000_001
FIELDS: dict[str, Any] = {
    "pattern_id": ID,
    "pattern": "User {ID} logged in",
    "count": 3,
    "first_seen": FIRST,
    "last_seen": LAST,
    "levels": {"INFO": 3},
    "sources": {"auth": 3},
}


class MadeStore:
    """Remembers what it was asked last; `reachable = False` makes every question fail."""

    by_source = True

    def __init__(self) -> None:
        self.asked: Any = None
        self.reachable = True

    async def patterns(self, query: PatternQuery) -> PatternPage:
        self._ask(query)
        if query.cursor not in (None, "next"):
            raise ValueError("cursor")
        return PatternPage(patterns=[PatternRow(**FIELDS)], cursor=None if query.cursor else "next")

    async def pattern(self, pattern_id: str, *, sources: tuple[str, ...] = ()) -> PatternDetail | None:
        self._ask((pattern_id, sources) if sources else pattern_id)
        return PatternDetail(**FIELDS, metadata={"user": {"count": 3}}, aliases=[]) if pattern_id == ID else None

    async def series(self, query: SeriesQuery) -> list[Series]:
        self._ask(query)
        return [Series(name="all", total=3, points=[(1_764_000_000, 3)])]

    async def anomalies(self, query: AnomalyQuery) -> list[dict[str, Any]]:
        self._ask(query)
        anomaly = {"id": "a", "kind": "spike", "state": "open", "tier": "notify", "pattern_id": ID, "details": {}}
        return [anomaly | {"started": FIRST, "updated": LAST, "resolved": None}]

    async def health(self) -> StoreHealth:
        return StoreHealth(reachable=self.reachable, detail="" if self.reachable else "connection refused")

    def _ask(self, question: Any) -> None:
        if not self.reachable:
            raise RetryableError("connection refused")
        self.asked = question

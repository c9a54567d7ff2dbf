"""What a sink offers when it can be read back: the questions, and the shapes of the answers."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

Order = Literal["newest", "count"]


class PatternQuery(BaseModel):
    """Which patterns are asked for. Times are in microseconds; `cursor` is the store's own text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: int | None = None
    until: int | None = None
    level: str | None = None
    source: str | None = None
    category: str | None = None
    q: str | None = Field(default=None, description="part of the pattern's text, any case")
    order: Order = "newest"
    limit: int = Field(default=50, ge=1, le=1000)
    cursor: str | None = None


class PatternRow(BaseModel):
    """One pattern with its totals over the asked time. Counts are exact, times in microseconds."""

    pattern_id: str
    pattern: str
    count: int
    first_seen: int
    last_seen: int
    levels: dict[str, int]
    sources: dict[str, int]
    category: str = ""
    tags: dict[str, int] = {}
    samples: list[str] = []


class PatternPage(BaseModel):
    """Patterns in the asked order; `cursor` is `None` on the last page."""

    patterns: list[PatternRow]
    cursor: str | None = None


class PatternDetail(PatternRow):
    """One pattern with what is known of its metadata (see `summary.to_json`) and its earlier ids."""

    metadata: dict[str, Any] = {}
    aliases: list[str] = []


class SeriesQuery(BaseModel):
    """Which counts over time are asked for; `step` is in seconds, a multiple of the store's bucket.

    `split_by` gives one series a level or source; `pattern_id` limits to one pattern.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: int
    until: int
    step: int = Field(default=300, ge=1)
    split_by: Literal["level", "source"] | None = None
    pattern_id: str | None = None
    level: str | None = None
    source: str | None = None


class Series(BaseModel):
    """Counts per step. `points` are (start in epoch seconds, count); steps without logs are left out."""

    name: str
    total: int
    points: list[tuple[int, int]]


class AnomalyQuery(BaseModel):
    """Which anomalies are asked for; times in microseconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: int | None = None
    until: int | None = None
    state: Literal["open", "resolved"] | None = None
    tier: Literal["recorded", "notify"] | None = None
    pattern_id: str | None = None
    source: str | None = None
    limit: int = Field(default=100, ge=1, le=1000)


class StoreHealth(BaseModel):
    """Whether the store can be reached, and what a person wants to know of it. Never a password."""

    reachable: bool
    detail: str = ""
    latency_ms: float | None = None
    figures: dict[str, Any] = {}


class Store(Protocol):
    """What a plugin registers with `service.register_store`. Each call has its own deadline.

    Raises `RetryableError` when the store is out of reach; the caller answers 503. Calls overlap.
    Aliases are applied: a generalised pattern is one row, under its newest id.
    """

    async def patterns(self, query: PatternQuery) -> PatternPage:
        """The patterns that match, in the asked order."""

    async def pattern(self, pattern_id: str) -> PatternDetail | None:
        """One pattern by its id or an earlier one; `None` when there is none."""

    async def series(self, query: SeriesQuery) -> list[Series]:
        """Counts over time, one series without `split_by`, the largest first with it."""

    async def anomalies(self, query: AnomalyQuery) -> list[dict[str, Any]]:
        """Anomalies, newest first, with the fields of `Anomaly`."""

    async def health(self) -> StoreHealth:
        """Whether the store answers now. Never raises."""

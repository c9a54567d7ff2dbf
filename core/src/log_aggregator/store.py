"""What a sink offers when it can be read back: the questions, and the shapes of the answers."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

Order = Literal["newest", "count"]

SAMPLE_LOGS = 20
"""Original logs in the answer for one pattern."""

SOURCES = "answer from logs of these sources only; `shop-*` means all that begin so; empty: of all"
"""What `sources` of a question means: an API key may be bound to some sources."""


class PatternQuery(BaseModel):
    """Which patterns are asked for. Times are in microseconds; `cursor` is the store's own text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: int | None = None
    until: int | None = None
    level: str | None = None
    source: str | None = None
    category: str | None = None
    q: str | None = Field(default=None, description="a search, see `log_aggregator.search`")
    ids: tuple[str, ...] | None = Field(default=None, description="only these patterns")
    not_ids: tuple[str, ...] = Field(default=(), description="none of these patterns")
    order: Order = "newest"
    limit: int = Field(default=50, ge=1, le=1000)
    cursor: str | None = None
    sources: tuple[str, ...] = Field(default=(), description=SOURCES)


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


class SampleLog(BaseModel):
    """One original log; its time in microseconds. Of a sample from another program the time is that of its row."""

    time: int
    message: str
    level: str
    source: str
    metadata: dict[str, Any] = {}


class PatternDetail(PatternRow):
    """One pattern with what is known of its metadata and its variables (see `summary.to_json`) and its earlier ids.

    `variables` has a key for each placeholder, see `variables.variable_names`. `sample_logs` are original logs, the
    newest first, at most `SAMPLE_LOGS`, each message once.
    """

    metadata: dict[str, Any] = {}
    aliases: list[str] = []
    variables: dict[str, Any] = {}
    sample_logs: list[SampleLog] = []


class SeriesQuery(BaseModel):
    """Which counts over time are asked for; `step` is in seconds, a multiple of the store's bucket or of a minute.

    Buckets that do not know their minutes (hours after roll-up, rows of other programs) count where they begin.

    `split_by` gives one series a level or source; `pattern_id` limits to one pattern. A search `q` counts all logs of
    the rows that it finds; it is asked of stores that are an `OnCallStore`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: int
    until: int
    step: int = Field(default=300, ge=1)
    split_by: Literal["level", "source"] | None = None
    pattern_id: str | None = None
    level: str | None = None
    source: str | None = None
    q: str | None = Field(default=None, description="a search, see `log_aggregator.search`")
    sources: tuple[str, ...] = Field(default=(), description=SOURCES)


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
    sources: tuple[str, ...] = Field(default=(), description=SOURCES)


class StoreHealth(BaseModel):
    """Whether the store can be reached, and what a person wants to know of it. Never a password."""

    reachable: bool
    detail: str = ""
    latency_ms: float | None = None
    figures: dict[str, Any] = {}


class Store(Protocol):
    """What a plugin registers with `service.register_store`. Each call has its own deadline.

    Raises `RetryableError` when the store is out of reach; the caller answers 503. Calls overlap.
    Aliases are applied: a generalised pattern is one row, under its newest id. A class attribute
    `by_source = True` says that the store honours `sources` in every question; without it, API keys that are bound to
    sources may not read.
    """

    async def patterns(self, query: PatternQuery) -> PatternPage:
        """The patterns that match, in the asked order."""

    async def pattern(self, pattern_id: str, *, sources: tuple[str, ...] = ()) -> PatternDetail | None:
        """One pattern by its id or an earlier one; `None` when there is none, or none of these sources."""

    async def series(self, query: SeriesQuery) -> list[Series]:
        """Counts over time, one series without `split_by`, the largest first with it."""

    async def anomalies(self, query: AnomalyQuery) -> list[dict[str, Any]]:
        """Anomalies, newest first, with the fields of `Anomaly`."""

    async def health(self) -> StoreHealth:
        """Whether the store answers now. Never raises."""

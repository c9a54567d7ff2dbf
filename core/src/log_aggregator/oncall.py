"""What a store may offer to a person on call, beside `Store`: marks, triage and comparisons, and the answers' shapes.

Times are in microseconds since the epoch.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator.store import SOURCES

TriageState = Literal["open", "acknowledged", "muted", "resolved", "returned"]
"""`returned`: it was resolved, and came again."""

LONGEST_NAME = 200
LONGEST_NOTE = 4000
MOST_HISTORY = 100


class Mark(BaseModel):
    """Something that happened at a time, such as a deployment. `slug` is how queries name it: `mark:deploy-1.4`."""

    model_config = ConfigDict(frozen=True)

    id: str
    slug: str
    title: str
    at: int
    source: str = ""
    url: str = ""
    by: str = ""


class MarkQuery(BaseModel):
    """Which marks are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: int | None = None
    until: int | None = None
    slug: str | None = None
    limit: int = Field(100, ge=1, le=1000)


class Triage(BaseModel):
    """What people said of a pattern. The state is that of now: a mute that is over is `open`.

    A muted pattern is muted until `muted_until`, until it comes `mute_times` as often as `mute_rate` (logs an hour when
    it was muted), or for ever.
    """

    model_config = ConfigDict(frozen=True)

    pattern_id: str
    state: TriageState = "open"
    name: str = ""
    note: str = ""
    owner: str = ""
    muted_until: int | None = None
    mute_times: float | None = None
    mute_rate: float | None = None
    resolved_at: int | None = None
    returned_at: int | None = None
    changed_at: int = 0
    changed_by: str = ""

    def at(self, now: int, last_seen: int | None = None) -> Triage:
        """The triage at a time, of a pattern that was last seen at another."""
        if self.state == "muted" and self.muted_until is not None and self.muted_until <= now:
            return self.model_copy(update={"state": "open"})
        came = self.returned_at if last_seen is None else max(self.returned_at or 0, last_seen)
        if self.state == "resolved" and self.resolved_at is not None and came and came > self.resolved_at:
            return self.model_copy(update={"state": "returned"})
        return self


class TriageChange(BaseModel):
    """One change: `fields` of `Triage` with their new values."""

    model_config = ConfigDict(frozen=True)

    at: int
    by: str
    fields: dict[str, Any]


class CompareQuery(BaseModel):
    """Which two spans of time are compared, and of which logs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before_since: int
    before_until: int
    since: int
    until: int
    level: str | None = None
    source: str | None = None
    q: str | None = Field(None, description="a search, see `log_aggregator.search`")
    limit: int = Field(50, ge=1, le=500, description="of each list")
    sources: tuple[str, ...] = Field((), description=SOURCES)


class Change(BaseModel):
    """How a pattern changed from the span before to the one after.

    `expected` is the count that would have come after without a change; `one_in` says how rare the difference is by
    chance. For a level or a value that moved, the shares are those of the pattern's logs.
    """

    pattern_id: str
    pattern: str
    level: str
    source: str
    before: int
    after: int
    expected: float
    ratio: float | None
    one_in: float
    first_seen: int | None = None
    samples: list[str] = []
    kind: Literal["level", "metadata", "variable"] | None = None
    key: str | None = None
    value: str | None = None
    share_before: float | None = None
    share_after: float | None = None


class Comparison(BaseModel):
    """What changed, in lists of at most `limit`, the most severe and then the least likely first.

    `found` counts each list before it was cut. `traffic` is the factor by which logs changed in common; counts are
    compared with it. Without a change, about one comparison in fifty has a finding. `values_complete` is false where
    there were too many rows to look at the values of all.
    """

    logs_before: int
    logs_after: int
    traffic: float
    compared: int
    found: dict[str, int]
    new: list[Change]
    gone: list[Change]
    more: list[Change]
    less: list[Change]
    levels: list[Change]
    values: list[Change]
    values_complete: bool


class ValuesQuery(BaseModel):
    """Of which key the values are asked for: of the metadata (`meta`) or a variable (`var`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    kind: Literal["meta", "var"] = "meta"
    since: int | None = None
    until: int | None = None
    level: str | None = None
    source: str | None = None
    q: str | None = Field(None, description="a search, see `log_aggregator.search`")
    limit: int = Field(20, ge=1, le=500)
    sources: tuple[str, ...] = Field((), description=SOURCES)


class ValueCount(BaseModel):
    """How many logs had a value, how many of them were errors, and of how many patterns they were."""

    value: str
    logs: int
    errors: int
    error_share: float
    patterns: int


class ValueCounts(BaseModel):
    """Logs and errors by value, the most frequent first; `logs` and `errors` are of all logs with the key.

    `distinct` counts the values before the list was cut. `complete` is false where rows keep some of their values only,
    were too many, or are so old that a search does not find them.
    """

    key: str
    kind: Literal["meta", "var"]
    logs: int = 0
    errors: int = 0
    distinct: int = 0
    complete: bool
    values: list[ValueCount]


@runtime_checkable
class ValuesStore(Protocol):
    """What a store offers beside `OnCallStore`, if it does. Raises as that."""

    async def values(self, query: ValuesQuery) -> ValueCounts:
        """Logs and errors by value. Raises `SearchError` for a `q` that is wrong."""


@runtime_checkable
class OnCallStore(Protocol):
    """What a store offers beside `Store`, if it does. Calls overlap.

    Raises `RetryableError` when the store is out of reach.
    """

    async def marks(self, query: MarkQuery) -> list[Mark]:
        """Marks, newest first."""

    async def add_mark(self, mark: Mark) -> None:
        """Keep a mark."""

    async def remove_mark(self, mark_id: str) -> bool:
        """Forget a mark; whether there was one."""

    async def triage(self, pattern_id: str | None = None) -> dict[str, Triage]:
        """What is stored of all patterns that were ever triaged, by their newest ids; or of one."""

    async def change_triage(self, pattern_id: str, change: TriageChange) -> Triage:
        """Change fields of a pattern's triage, and keep who did and when; what is stored now."""

    async def triage_history(self, pattern_id: str) -> list[TriageChange]:
        """The latest changes, newest first, at most `MOST_HISTORY`."""

    async def compare(self, query: CompareQuery) -> Comparison:
        """What changed between two spans. Raises `SearchError` for a `q` that is wrong."""

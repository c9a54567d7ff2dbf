"""The shapes of the answers for a person on call, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from log_aggregator.oncall import TriageState


class TriageFields(BaseModel):
    """What people said of a pattern. Muted until `muted_until`, until `mute_times` times `mute_rate`, or for ever."""

    pattern_id: str
    state: TriageState
    name: str
    note: str
    owner: str
    muted_until: datetime | None
    mute_times: float | None
    mute_rate: float | None = Field(description="logs an hour when it was muted")
    resolved_at: datetime | None
    returned_at: datetime | None
    changed_at: datetime | None
    changed_by: str


class TriageEntry(BaseModel):
    """Who changed what, and when."""

    at: datetime
    by: str
    change: dict[str, Any]


class TriageAnswer(TriageFields):
    """What people said of a pattern, with the latest changes, newest first."""

    history: list[TriageEntry]


class TriageList(BaseModel):
    """Triaged patterns, the latest change first."""

    triage: list[TriageFields]


class MarkFields(BaseModel):
    """Something that happened. Queries name it by its slug: `since=mark:deploy-1.4`."""

    id: str
    slug: str
    title: str
    at: datetime
    source: str
    url: str
    by: str


class Marks(BaseModel):
    """Marks, newest first."""

    marks: list[MarkFields]


class ChangeFields(BaseModel):
    """How a pattern changed. Of a level or value that moved: its shares among the pattern's logs."""

    pattern_id: str
    pattern: str
    level: str
    source: str
    before: int
    after: int
    expected: float = Field(description="what would have come after without a change")
    ratio: float | None
    one_in: float = Field(description="how rare the difference is by chance")
    first_seen: datetime | None
    samples: list[str]
    kind: Literal["level", "metadata", "variable"] | None
    key: str | None
    value: str | None
    share_before: float | None
    share_after: float | None
    triage: TriageFields | None


class ComparedSpan(BaseModel):
    """One of two spans."""

    since: datetime
    until: datetime
    logs: int


class ComparisonAnswer(BaseModel):
    """What changed, the most severe and then the least likely first. `found` counts each list before it was cut."""

    before: ComparedSpan
    after: ComparedSpan
    traffic: float = Field(description="the factor by which logs changed in common; counts are compared with it")
    compared: int = Field(description="patterns")
    found: dict[str, int]
    new: list[ChangeFields]
    gone: list[ChangeFields]
    more: list[ChangeFields]
    less: list[ChangeFields]
    levels: list[ChangeFields]
    values: list[ChangeFields]
    values_complete: bool = Field(description="whether the values of all frequent patterns were looked at")


class Explained(BaseModel):
    """What the stages make of a line. `rejected` says why there is no pattern."""

    message: str
    pattern: str
    pattern_id: str
    level: str
    source: str
    category: str
    tags: list[str]
    rejected: str

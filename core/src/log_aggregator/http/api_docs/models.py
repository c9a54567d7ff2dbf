"""The shapes of requests and answers, for the OpenAPI document. Decoding uses msgspec; tests hold the two together."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from log_aggregator.model.fields import levels
from log_aggregator.oncall import TriageState

_LEVELS = (
    "upper-cased, synonyms folded (WARNING is WARN, ERR is ERROR); numbers of pino, bunyan and syslog are understood"
)


LevelNumber = Annotated[int, Field(ge=-levels.LARGEST, le=levels.LARGEST)]


class Log(BaseModel):
    """One log. Keys that are not named here join `metadata`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "message": "User login successful",
                    "level": "INFO",
                    "source": "auth-service",
                    "metadata": {"user_id": "123", "ip": "10.0.1.50"},
                }
            ]
        },
    )

    message: str | float | bool = Field(description="the text; numbers and booleans become text", min_length=1)
    level: str | LevelNumber | None = Field("INFO", description=_LEVELS)
    source: str | float | None = Field("unknown", description="what sent it; at most 100 characters are kept")
    timestamp: str | float | None = Field(
        None,
        description="ISO 8601, or the epoch in seconds, milli-, micro- or nanoseconds; default: time of receipt",
    )
    metadata: dict[str, Any] | None = Field(None, description="anything more that is known")


class Batch(BaseModel):
    """Several logs."""

    logs: list[Log] = Field(min_length=1)


class BatchBody(RootModel[Batch | list[Log] | Log]):
    """A batch, a list of logs, or one log."""


class RejectedLog(BaseModel):
    """A log that was not taken, by its index in the batch, and why."""

    index: int = Field(ge=0)
    error: str


class OneAccepted(BaseModel):
    """The log was taken."""

    accepted: int = Field(ge=0, description="1; 0 when a stage dropped the log on purpose")
    duplicate: bool = Field(False, description="true: this Idempotency-Key was taken before and is counted once")
    durable: bool = Field(True, description="false: kept in memory only (DURABILITY=memory)")


class BatchAccepted(OneAccepted):
    """The batch was taken, except for the logs that are named."""

    accepted: int = Field(ge=0, description="logs that were taken")
    rejected: list[RejectedLog] = Field(description="logs that were not taken; at most 1000 are named")
    rejected_count: int | None = Field(None, description="how many were not taken, when not all are named")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str = Field(description="what is wrong and what was expected")
    rejected: list[RejectedLog] | None = Field(None, description="422 to a batch: each log and why")
    retry_after: int | None = Field(None, description="429 and 503: seconds to wait")


class Flushed(BaseModel):
    """What a flush did."""

    model_config = ConfigDict(extra="allow")

    groups: int = Field(ge=0, description="groups that were sealed")
    sinks: dict[str, Any] = Field(description="each sink's outcome")


class Stats(RootModel[dict[str, Any]]):
    """All figures."""


class Health(BaseModel):
    """How the service is."""

    status: Literal["healthy", "degraded", "unhealthy"]
    accepting: bool = Field(description="whether logs can be taken; false is answered with 503")
    access: Literal["keys", "client certificates", "loopback", "anonymous"] = Field(
        "loopback", description="what keeps strangers out; anonymous: nothing does (ALLOW_ANONYMOUS)"
    )
    checks: dict[str, Any] | None = Field(None, description="each check; with API keys only for the scope 'read'")


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


class Pattern(BaseModel):
    """A pattern and what was counted of it over the asked time."""

    pattern_id: str
    pattern: str
    count: int
    first_seen: datetime
    last_seen: datetime
    levels: dict[str, int]
    sources: dict[str, int]
    category: str
    tags: dict[str, int]
    samples: list[str]
    triage: TriageFields | None = Field(None, description="null while nobody said anything of it")


class FoundLine(BaseModel):
    """The pattern of a log line that was given as the search."""

    pattern: str
    pattern_id: str


class Patterns(BaseModel):
    """A page of patterns; `cursor` is null on the last page."""

    patterns: list[Pattern]
    cursor: str | None
    line: FoundLine | None = Field(None, description="where `q` was a log line")


class PatternDetails(Pattern):
    """A pattern with what is known of its metadata, and the ids it had before it was generalised."""

    metadata: dict[str, Any]
    aliases: list[str]


class Point(BaseModel):
    """Logs in the step that begins at `start`."""

    start: datetime
    count: int


class OneSeries(BaseModel):
    """Counts over time; steps without logs are left out."""

    name: str
    total: int
    points: list[Point]


class SeriesAnswer(BaseModel):
    """Series of one span of time."""

    since: datetime
    until: datetime
    step: int
    series: list[OneSeries]


class Timeline(SeriesAnswer):
    """The series of one pattern. Its id is the newest, also when an earlier one was asked for."""

    pattern_id: str


class OneAnomaly(BaseModel):
    """Something new, spiking or silent."""

    model_config = ConfigDict(extra="allow")

    id: str
    kind: str
    state: str
    tier: str
    started: datetime
    updated: datetime
    resolved: datetime | None = None


class Learning(BaseModel):
    """Until when it is learned what is usual, and what is an alarm meanwhile."""

    started: datetime
    until: datetime
    seconds_left: int
    alarms: list[str]


class Anomalies(BaseModel):
    """Anomalies, newest first."""

    anomalies: list[OneAnomaly]
    learning: Learning | None = Field(description="null once enough is known, and where nothing learns")

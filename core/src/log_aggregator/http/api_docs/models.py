"""The shapes of requests and answers, for the OpenAPI document. Decoding uses msgspec; tests hold the two together."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from log_aggregator.http.api_docs.on_call_models import TriageFields

_LEVELS = (
    "upper-cased, synonyms folded (WARNING is WARN, ERR is ERROR); numbers of pino, bunyan and syslog are understood"
)

_Text = Annotated[str, Field(min_length=1)]
_Items = Annotated[list[Any], Field(min_length=1)]
_Object = Annotated[dict[str, Any], Field(min_length=1)]


class Log(BaseModel):
    """One log. Other names for a message, level, source, time or stack are found by the field table; the rest joins
    `metadata`. A level, source, time or metadata of another type costs that field, not the log."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "minProperties": 1,
            "required": [],
            "examples": [
                {
                    "message": "User login successful",
                    "level": "INFO",
                    "source": "auth-service",
                    "metadata": {"user_id": "123", "ip": "10.0.1.50"},
                }
            ],
        },
    )

    message: _Text | float | bool | _Items | _Object = Field(description="the text; what is none becomes text")
    level: Any = Field("INFO", description=_LEVELS)
    source: Any = Field("unknown", description="what sent it; at most 100 characters are kept")
    timestamp: Any = Field(
        None,
        description="ISO 8601 or another form that logs use, or the epoch in seconds, milli-, micro- or nanoseconds; "
        "default: time of receipt",
    )
    metadata: Any = Field(None, description="an object: anything more that is known")


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


class Reloads(BaseModel):
    """What became of reloads, since the process started."""

    succeeded: int
    failed: int
    last_error: str | None = Field(description="why the latest one changed nothing")


class Reloading(BaseModel):
    """A reload was begun."""

    reloads: Reloads = Field(description="the counts before it")


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
    kinds: list[str] = Field(default=[], description="the same as kinds of anomalies, for pages in other languages")
    error_share: float | None = Field(default=None, description="the share of errors from which a source is an alarm")


class Anomalies(BaseModel):
    """Anomalies, newest first."""

    anomalies: list[OneAnomaly]
    learning: Learning | None = Field(description="null once enough is known, and where nothing learns")

"""The query parameters of the calls that read: names, ranges, defaults."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args

from aiohttp import web
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from log_aggregator.config.settings import nearest
from log_aggregator.http.problem import Problem
from log_aggregator.http.time_params import Moment, now
from log_aggregator.model.fields.levels import fold
from log_aggregator.oncall import TriageState
from log_aggregator.search import SYNTAX

MAX_STEPS = 10_000
"""Points that one series may have."""

DAY = 86_400_000_000


def plain(text: Any) -> Any:
    """Refuse a text with control characters. Raises `ValueError`."""
    if isinstance(text, str) and any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError("expected a text without control characters")
    return text


def searchable(text: str) -> str:
    """Refuse a search with control characters; a pasted line may have tabs and line breaks. Raises `ValueError`."""
    plain(text.translate(_BLANKS))
    return text


_BLANKS = str.maketrans(dict.fromkeys("\t\n\r", " "))

Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(plain)]
Search = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(searchable)]
Level = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(plain), AfterValidator(lambda v: fold(v)[0])]


def _states(text: Any) -> Any:
    states = tuple(text.split(",")) if isinstance(text, str) else text
    wrong = [state for state in states if state not in get_args(TriageState)]
    if wrong:
        raise ValueError(f"{wrong[0]!r}; expected some of: {', '.join(get_args(TriageState))}")
    return states


class Parameters(BaseModel):
    """A query: unknown parameters are errors, for a misspelled filter would answer something else."""

    model_config = ConfigDict(extra="forbid")


class Span(Parameters):
    """From when to when."""

    since: Moment | None = Field(
        None, description="from this time on: ISO 8601, epoch, relative such as -1h, 14:00 or mark:NAME"
    )
    until: Moment | None = Field(None, description="before this time")

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError("since: expected a time before 'until'")
        return self


class PatternParameters(Span):
    """`GET /patterns`."""

    level: Level | None = Field(None, description="only this level; synonyms are folded")
    source: Text | None = Field(None, description="only this source")
    category: Text | None = Field(None, description="only this category")
    q: Search | None = Field(None, description=f"a search or a log line: {SYNTAX}")
    triage: Annotated[tuple[str, ...], BeforeValidator(_states)] = Field(
        (), description="only these states, separated by commas; `open` is what nobody triaged, too"
    )
    order: Literal["newest", "count"] = Field("newest", description="newest or most frequent first")
    limit: int = Field(50, ge=1, le=1000, description="patterns on a page")
    cursor: Text | None = Field(None, description="the cursor of the page before")
    format: Literal["json", "csv", "ndjson", "markdown"] = Field(
        "json", description="a form other than JSON is a file with all pages; `limit` cuts it only where it is given"
    )


class TimelineParameters(Span):
    """`GET /patterns/{id}/timeline`."""

    step: int = Field(300, ge=1, le=31_536_000, description="seconds per point")
    split_by: Literal["level", "source"] | None = Field(None, description="one series for each")
    level: Level | None = Field(None, description="only this level; synonyms are folded")
    source: Text | None = Field(None, description="only this source")

    def span(self) -> tuple[int, int]:
        """(since, until) in microseconds; the default is the last day. Raises `Problem` 422."""
        until = now() if self.until is None else self.until
        since = max(0, until - DAY) if self.since is None else self.since
        if since > until:
            raise Problem(422, "since: expected a time before 'until', which is now when it is not given")
        if (until - since) // (self.step * 1_000_000) > MAX_STEPS:
            raise Problem(422, f"step: more than {MAX_STEPS} points; choose a longer step or a shorter time")
        return since, until


class SeriesParameters(TimelineParameters):
    """`GET /series`."""

    pattern_id: str | None = Field(None, pattern="^[0-9a-f]{16}$", description="only this pattern")
    q: Search | None = Field(None, description=f"only what a search finds: {SYNTAX}")


class AnomalyParameters(Span):
    """`GET /anomalies`."""

    state: Literal["open", "resolved"] | None = Field(None, description="still going on, or over")
    tier: Literal["recorded", "notify"] | None = Field(None, description="worth a look, or worth waking someone")
    pattern_id: str | None = Field(None, pattern="^[0-9a-f]{16}$", description="only this pattern")
    source: Text | None = Field(None, description="only this source")
    limit: int = Field(100, ge=1, le=1000, description="anomalies in the answer")


class IngestParameters(BaseModel):
    """`POST /ingest` and `/ingest/batch`. Other parameters are ignored: some clients add their own to every URL."""

    model_config = ConfigDict(extra="ignore")

    status: Literal[200, 202] | None = Field(None, description="200: for clients that take 202 for an error")
    debug: bool = Field(False, description="1: answer with the records that the body would become; nothing is stored")

    @field_validator("status", mode="before")
    @classmethod
    def _number(cls, sent: str) -> int | str:
        return int(sent) if sent in ("200", "202") else sent

    @field_validator("debug", mode="before")
    @classmethod
    def _one(cls, sent: str) -> bool:
        return sent == "1"


class FlushParameters(Parameters):
    """`POST /flush`."""

    deadline: float = Field(10.0, ge=0, le=60, description="seconds to wait for the sinks")


P = TypeVar("P", bound=BaseModel)


B = TypeVar("B", bound=BaseModel)


def parameters(request: web.Request, model: type[P], query: Mapping[str, str] | None = None) -> P:
    """The query of a request, or `query` in its place. Raises `Problem` 422 that names each wrong parameter."""
    sent = request.query
    twice = sorted({name for name in sent if len(sent.getall(name)) > 1})
    if twice:
        raise Problem(422, f"{', '.join(twice)}: given twice; expected once")
    try:
        return model.model_validate(dict(sent if query is None else query))
    except ValidationError as error:
        raise Problem(422, describe(error, sorted(model.model_fields))) from None


def describe(error: ValidationError, known: list[str]) -> str:
    """What is wrong with a query or a body, and what was expected; `known` are the names that there are."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            expected = nearest(name, known) or f"; expected one of: {', '.join(known)}"
            lines.append(f"{name[:100]}: unknown parameter{expected}")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            lines.append(f"{name}: {message}" if name else message)
    return "; ".join(lines)

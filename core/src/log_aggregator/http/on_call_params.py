"""The parameters and bodies of the calls for a person on call."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from log_aggregator.http.parameters import Level, Parameters, Search, Span, Text, plain
from log_aggregator.http.time_params import Moment
from log_aggregator.oncall import LONGEST_NAME, LONGEST_NOTE, TriageState

_Short = Annotated[str, Field(max_length=LONGEST_NAME), BeforeValidator(plain)]
_LINES = str.maketrans("", "", "\n\t")


def _note(text: object) -> object:
    if isinstance(text, str):
        plain(text.translate(_LINES))
    return text


class MarkParameters(Span):
    """`GET /marks`."""

    limit: int = Field(100, ge=1, le=1000, description="marks in the answer")


class TriageListParameters(Parameters):
    """`GET /triage`."""

    state: TriageState | None = Field(None, description="only this state")
    limit: int = Field(100, ge=1, le=1000, description="patterns in the answer")


class CompareParameters(Parameters):
    """`GET /compare`."""

    after: Text | None = Field(None, description="`A..B`, or a start such as -1h or mark:deploy-1.4; default: -1h")
    before: Text | None = Field(None, description="`A..B`, or a start; default: as long, directly before")
    since: Moment | None = Field(None, description="the same as `after`: from this time on")
    until: Moment | None = Field(None, description="before this time; default: now")
    before_since: Moment | None = Field(None, description="the same as `before`: from this time on")
    before_until: Moment | None = Field(None, description="before this time")
    level: Level | None = Field(None, description="only this level; synonyms are folded")
    source: Text | None = Field(None, description="only this source")
    q: Search | None = Field(None, description="a search")
    limit: int = Field(50, ge=1, le=500, description="entries of each list")


class ValuesParameters(Span):
    """`GET /values`."""

    key: Text = Field(description="the key, such as region or user.id; a variable by its name, such as ID.2")
    kind: Literal["meta", "var"] = Field("meta", description="of the metadata, or a variable of patterns")
    level: Level | None = Field(None, description="only this level; synonyms are folded")
    source: Text | None = Field(None, description="only this source")
    q: Search | None = Field(None, description="a search")
    limit: int = Field(20, ge=1, le=500, description="values in the answer")


class ExplainParameters(Parameters):
    """`GET /explain`."""

    line: str = Field(min_length=1, max_length=10_000, description="a log line")


class MarkBody(BaseModel):
    """Something that happened, such as a deployment."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), BeforeValidator(plain)]
    at: Moment | None = Field(None, description="when; default: now")
    source: _Short = ""
    url: Annotated[str, Field(max_length=2000, pattern="^(https?://.*)?$"), BeforeValidator(plain)] = ""
    by: _Short = Field("", description="who; with API keys, the key's name stands there instead")


class TriageBody(BaseModel):
    """What changes: fields that are left out stay. A mute without an end is for ever."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "acknowledged", "muted", "resolved"] | None = None
    mute_until: Moment | None = Field(None, description="such as +2h; only with the state 'muted'")
    mute_times: float | None = Field(
        None, gt=1, le=1000, description="muted until it comes so many times as often; only with the state 'muted'"
    )
    name: _Short | None = None
    note: Annotated[str, Field(max_length=LONGEST_NOTE), BeforeValidator(_note)] | None = None
    owner: _Short | None = None
    by: _Short = Field("", description="who; with API keys, the key's name stands there instead")

    @model_validator(mode="after")
    def _complete(self) -> TriageBody:
        if self.state is None and self.name is None and self.note is None and self.owner is None:
            raise ValueError("expected at least one of: state, name, note, owner")
        if self.state != "muted" and (self.mute_until is not None or self.mute_times is not None):
            raise ValueError("mute_until, mute_times: only with the state 'muted'")
        return self

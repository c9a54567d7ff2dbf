"""What a user may set under `[plugins.classify]`, and the rules that come with the package."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator_classify.rule import Rule


@cache
def built_in_rules() -> tuple[Rule, ...]:
    """The rules of this package, in their order."""
    text = files("log_aggregator_classify").joinpath("rules.toml").read_text("utf-8")
    return tuple(Rule.model_validate(rule) for rule in tomllib.loads(text)["rules"])


class Config(BaseModel):
    """Rules of one's own come before the built-in ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = Field((), description="your own rules; a category of your own needs only a name")
    built_in: bool = Field(True, description="use the built-in rules")
    default_category: str = Field("", description="category of records that no rule is sure of")
    severity: bool = Field(True, description="set the level from the message when the client sent none")
    measures: tuple[str, ...] = Field(
        ("TIME", "SIZE"), description="placeholders whose numbers become metadata; empty: none"
    )
    traces: bool = Field(True, description="group stack traces by exception and top frames")
    trace_frames: int = Field(3, ge=0, le=20, description="frames that tell stack traces apart")

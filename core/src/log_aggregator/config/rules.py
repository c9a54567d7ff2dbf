"""`[[rules]]`: alarms by hand, said in the configuration. A plugin such as `trends` evaluates them."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from log_aggregator.config.explain import describe
from log_aggregator.errors import ConfigError
from log_aggregator.search import parse_search

LONGEST_MINUTES = 1440
MOST_RULES = 200

_TIME = re.compile(r"(\d{1,5})([mh])")


class Rule(BaseModel):
    """One `[[rules]]` table: more than so many logs that a search finds within a time, or none for a time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field("", max_length=200, description="what notifications call it; default: its search")
    search: str = Field(max_length=4000, description="which logs, in the syntax of a search; empty: all")
    more_than: int | None = Field(
        None, ge=0, strict=True, description="alarm when more logs come within `within`; 0: any log"
    )
    within: str | None = Field(None, description="such as 5m or 1h, at most a day; default: 5m")
    none_for: str | None = Field(None, description="alarm when no log comes for so long, such as 30m; at most a day")

    @field_validator("search")
    @classmethod
    def _readable(cls, text: str) -> str:
        if any(term.field == "seen" for term in parse_search(text)):
            raise ValueError("seen: a rule has a time of its own; expected within or none_for")
        return text

    @field_validator("within", "none_for")
    @classmethod
    def _time(cls, text: str | None) -> str | None:
        if text is not None and not 1 <= _minutes(text) <= LONGEST_MINUTES:
            raise ValueError("expected a time from 1m to 24h, such as 5m or 1h")
        return text

    @model_validator(mode="after")
    def _one_condition(self) -> Rule:
        if (self.more_than is None) == (self.none_for is None):
            raise ValueError("expected one condition: either more_than or none_for")
        if self.none_for is not None and self.within is not None:
            raise ValueError("within belongs to more_than; expected none_for alone")
        return self

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or self.search or "all logs"

    @property
    def minutes(self) -> int:
        """The minutes that it looks at."""
        return _minutes(self.none_for or self.within or "5m")


def rules_in(tables: Any, where: str) -> list[tuple[str, Rule]]:
    """The rules of a list of tables, each with its place: `plugins.toml [[rules]] 1`. Raises `ConfigError`."""
    if not isinstance(tables, list):
        raise ConfigError(f"{where} rules: expected tables [[rules]]")
    if len(tables) > MOST_RULES:
        raise ConfigError(f"{where} [[rules]]: expected at most {MOST_RULES}, found {len(tables)}")
    found: list[tuple[str, Rule]] = []
    for number, table in enumerate(tables, 1):
        place = f"{where} [[rules]] {number}"
        rule = _rule(table, place)
        same = [other for other, known in found if known.title == rule.title]
        if same:
            raise ConfigError(f"{place} name: {rule.title!r} is also the name of {same[0]}; expected another one")
        found.append((place, rule))
    return found


def _rule(table: Any, where: str) -> Rule:
    try:
        return Rule.model_validate(table)
    except ValidationError as error:
        raise ConfigError(describe(error, where, Rule).replace(f"{where} :", f"{where}:")) from None


def _minutes(text: str) -> int:
    found = _TIME.fullmatch(text)
    return int(found[1]) * (60 if found[2] == "h" else 1) if found else 0

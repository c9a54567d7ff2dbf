"""What one rule is, checked when it is read."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from log_aggregator_classify.conditions import Condition, parse_condition

Severity = Literal["TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "ERROR", "CRITICAL", "FATAL"]


class Rule(BaseModel):
    """One rule, as a TOML table gives it: what it looks at, and what it says.

    It looks at: `words` (any of them, any ending; several words in one text must follow each other),
    `regex` (somewhere in the pattern), `source` and `level` (`*` is any text), `metadata` (for each key
    a condition, all must hold). What is not given is not looked at. It says `category`, `tags`, `severity`.
    A category is chosen by `weight`: every word that is found adds it, and the heaviest category wins.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field("", max_length=64)
    words: tuple[str, ...] = ()
    regex: str = Field("", max_length=2000)
    source: str = ""
    level: str = ""
    metadata: dict[str, str | int | float | bool] = {}

    category: str = Field("", max_length=64, pattern=r"^[a-z][a-z0-9_-]*$|^$")
    tags: tuple[str, ...] = ()
    severity: Severity | None = None
    weight: float = Field(2.0, gt=0, le=1000)

    @field_validator("words", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("words")
    @classmethod
    def _holds_words(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if not re.search(r"[A-Za-z]", text):
                raise ValueError(f"words: {text!r}: expected words, separated by commas")
        return value

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Rule:
        if not (self.category or self.tags or self.severity):
            raise ValueError("says nothing; expected category, tags or severity")
        if not (self.words or self.regex or self.source or self.level or self.metadata):
            raise ValueError("looks at nothing; expected words, regex, source, level or metadata")
        self.conditions()
        return self

    def conditions(self) -> dict[str, Condition]:
        """The conditions on metadata. Raises `ValueError` when one cannot be read."""
        return {key: parse_condition(text) for key, text in self.metadata.items()}

"""What one rule is, checked when it is read."""

from __future__ import annotations

import re

import re2  # type: ignore[import-untyped]  # comes without types
from pydantic import BaseModel, ConfigDict, Field, field_validator


class Rule(BaseModel):
    """One rule, as a TOML table gives it.

    `regex` is Python's syntax with ASCII classes; the group named `secret` is masked, or the whole
    match when there is none. `gate` spares the regex: it runs only when one of these lower-case texts
    occurs, where a `0` stands for any digit. `near` does the same with an expression for that lower-case
    text, in RE2's syntax (no look-arounds). With neither, the regex runs on every text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z_-]*$")
    regex: str = Field(min_length=1, max_length=4000)
    gate: tuple[str, ...] = ()
    near: str = Field("", max_length=4000)

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            compiled = re.compile(value, re.ASCII)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if compiled.match(""):
            raise ValueError("matches the empty text; expected an expression that needs at least one character")
        return value

    @field_validator("gate")
    @classmethod
    def _gate_is_a_shape(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if not text or re.search("[1-9]", text) or text != text.lower():
                raise ValueError(f"gate {text!r}: expected a lower-case text without the digits 1 to 9 (0: any digit)")
        return value

    @field_validator("near")
    @classmethod
    def _near_compiles(cls, value: str) -> str:
        try:
            compiled = re2.compile(value)
        except re2.error as error:
            raise ValueError(f"not a regular expression of RE2: {error}") from None
        if value and compiled.match(""):
            raise ValueError("near matches the empty text; expected an expression that needs at least one character")
        return value

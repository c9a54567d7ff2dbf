"""What one masking rule is: its name, its expression, its placeholder and its gate."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

PLACEHOLDER = re.compile(r"\{[A-Z][A-Z0-9_]*\}")
"""How a placeholder looks in a pattern: `{ID}`, `{TIME}`, `{ORDER_NUMBER}`."""


class Rule(BaseModel):
    """One rule, as a TOML table or a rule pack gives it.

    `regex` is Python's syntax; what it matches is masked, its look-arounds stay in the pattern.
    `placeholder` is what stands there instead: a placeholder, perhaps with text around it; without
    one the name in upper case is taken. `gate` spares the regex: it runs only when one of these
    texts occurs in the line, where a `0` stands for any digit. `first` puts the rule before the
    built-in ones, which is where a rule for something special belongs; `false` puts it after them.
    `keep` leaves in the pattern what `regex` matches, and hides it from later rules. Where the regex
    has a group named `value`, only that part is taken, and the rest is context.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$")
    regex: str = Field(min_length=1, max_length=4000)
    placeholder: str = Field("", max_length=80)
    gate: tuple[str, ...] = ()
    first: bool = True
    keep: bool = False

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            compiled = re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if compiled.match(""):
            raise ValueError("matches the empty text; expected an expression that needs at least one character")
        return value

    @field_validator("gate")
    @classmethod
    def _gate_is_a_shape(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if not text or re.search("[1-9]", text):
                raise ValueError(f"gate {text!r}: expected a text without the digits 1 to 9 (0 means any digit)")
        return value

    @model_validator(mode="before")
    @classmethod
    def _placeholder_from_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("placeholder") and isinstance(data.get("name"), str):
            word = re.sub(r"[^A-Z0-9]+", "_", data["name"].upper())
            return {**data, "placeholder": "{" + word + "}"}
        return data

    @field_validator("placeholder")
    @classmethod
    def _names_a_placeholder(cls, value: str) -> str:
        if len(PLACEHOLDER.findall(value)) != 1 or re.search(r"\d", PLACEHOLDER.sub("", value)):
            raise ValueError(
                f"placeholder {value!r}: expected one name in braces such as {{ORDER}}, no digits around it"
            )
        return value

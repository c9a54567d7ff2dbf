"""What a user may set under `[plugins.redact]`, and the rules that follow from it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from log_aggregator_redact.finders import Finder, built_in, mask_names, of_rule
from log_aggregator_redact.rule import Rule

EMAIL = Rule(
    name="email",
    regex=r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])",
    near=r"[\w.%+-]@[a-z0-]",
)
IP = Rule(
    name="ip",
    regex=r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"
    r"|(?<![\w:.])(?=[0-9A-Fa-f:]{0,40}\d)(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
    r"|(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?::(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})?)(?![\w:]|\.\d)",
    gate=(".0", ":"),
)


class Config(BaseModel):
    """Everything is on that is a secret beyond doubt; addresses of people and machines are masked on request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = Field((), description="your own rules, applied after the built-in ones")
    keys: tuple[str, ...] = Field((), description="more metadata keys whose values are secret, any case")
    allow_keys: tuple[str, ...] = Field((), description="metadata keys that look secret but are not, any case")
    cards: bool = Field(True, description="mask payment card numbers")
    emails: bool = Field(False, description="mask e-mail addresses")
    ips: bool = Field(False, description="mask IP addresses")
    off: tuple[str, ...] = Field((), description="names of built-in rules that are left out")

    @field_validator("off")
    @classmethod
    def _names_rules(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = mask_names()
        for name in value:
            if name not in known:
                raise ValueError(f"{name!r} is no built-in rule; expected one of {', '.join(known)}")
        return value

    def built_in(self) -> list[Finder]:
        """The built-in rules that are on. Masks that are off are not set by the others."""
        asked = ([EMAIL] if self.emails else []) + ([IP] if self.ips else [])
        return [*built_in(), *(of_rule(rule, own=False) for rule in asked)]

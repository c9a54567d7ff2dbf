"""What a user may set under `[plugins.formats]`."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

FormatName = Literal["json", "key-value", "prefix", "access", "syslog", "container"]


class Config(BaseModel):
    """Options of the formats plugin."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    off: tuple[FormatName, ...] = Field((), description="formats that are not looked for")
    sources: dict[str, tuple[FormatName, ...]] = Field(
        {}, description="the formats of a source, by its name; an empty list: its messages stay as they are"
    )
    outcomes: tuple[str, ...] = Field(
        ("error", "err", "cause", "status", "code", "res"),
        description="fields that tell an outcome: they stay behind the sentence, and so in the pattern",
    )
    timezone: str = Field("UTC", description="the zone of times without one, by its name in the tz database")
    source: bool = Field(True, description="take the source from the message where the client sent none")

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (LookupError, OSError, ValueError):
            raise ValueError(f"timezone: {value!r}: no such zone; expected a name such as 'Europe/Berlin'") from None
        return value

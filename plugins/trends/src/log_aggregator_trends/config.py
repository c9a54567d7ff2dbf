"""The options of the trends plugin."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl


class Target(BaseModel):
    """One place that is told of incidents."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["webhook", "ntfy", "slack", "discord"] = Field("webhook", description="the form of the message")
    url: HttpUrl = Field(description="where it is posted; for ntfy with the topic: https://ntfy.sh/my-topic")
    headers: dict[str, str] = Field({}, description="sent with every message, such as an Authorization")
    samples: bool = Field(True, description="whether messages may hold sample log lines")
    resolved: bool = Field(True, description="whether the end of an incident is told too")


class TrendsConfig(BaseModel):
    """Options of `[plugins.trends]`."""

    model_config = ConfigDict(extra="forbid")

    targets: list[Target] = Field([], description="who is told of incidents of the tier notify")
    quiet_patterns: list[str] = Field([], description="pattern ids, or pattern texts with *, that never alert")
    quiet_sources: list[str] = Field([], description="sources that never alert; * is allowed")
    learning_hours: float = Field(24.0, ge=0, description="hours after the first start in which no pattern is new")
    resolve_minutes: int = Field(15, ge=1, le=1440, description="quiet minutes after which an incident is over")
    max_series: int = Field(5000, ge=10, le=100_000, description="patterns and sources watched at once, 8 kB each")
    sleep_hours: float = Field(72.0, ge=1, description="hours without a log after which a series is put away")
    max_asleep: int = Field(100_000, ge=0, description="series put away on disk; the oldest are forgotten")
    grace: float | None = Field(
        None, ge=0, le=600, description="seconds a minute is waited for; default: from the core"
    )
    timeout: float = Field(10.0, gt=0, le=120, description="seconds for one notification")
    retries: int = Field(8, ge=0, le=50, description="further tries of one notification")
    first_pause: float = Field(1.0, gt=0, le=60, description="seconds before the second try; doubles to 5 minutes")

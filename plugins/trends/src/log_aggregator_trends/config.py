"""The options of the trends plugin."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from log_aggregator_trends.target import Target


class TrendsConfig(BaseModel):
    """Options of `[plugins.trends]`."""

    model_config = ConfigDict(extra="forbid")

    targets: list[Target] = Field([], description="destinations for incidents of the tier `notify`")
    public_url: HttpUrl | None = Field(
        None, description="where people open the page, for links in notifications, such as https://logs.example.org"
    )
    quiet_patterns: list[str] = Field(
        [], description="pattern ids, or pattern texts with * wildcards, that never alert"
    )
    quiet_sources: list[str] = Field([], description="sources that never alert; * is a wildcard")
    learning_hours: float = Field(
        24.0, ge=0, description="hours after the first start in which only error patterns are told as new"
    )
    resolve_minutes: int = Field(
        15, ge=1, le=1440, description="minutes without an alert after which an incident is resolved"
    )
    max_series: int = Field(
        5000, ge=10, le=100_000, description="series (patterns and sources) kept in memory, about 8 kB each"
    )
    sleep_hours: float = Field(72.0, ge=1, description="hours without a log after which a series moves to disk")
    max_asleep: int = Field(100_000, ge=0, description="series kept on disk; beyond it the oldest are deleted")
    grace: float | None = Field(
        None, ge=0, le=600, description="seconds to wait for late logs of a minute; default: AGGREGATION_WINDOW + 5"
    )
    timeout: float = Field(10.0, gt=0, le=120, description="seconds until a notification request times out")
    retries: int = Field(8, ge=0, le=50, description="retries of one notification")
    first_pause: float = Field(1.0, gt=0, le=60, description="seconds before the first retry; doubles up to 5 minutes")

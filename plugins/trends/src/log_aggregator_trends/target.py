"""One destination for notifications: its address, which incidents it wants, and when."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AnyUrl, BaseModel, ConfigDict, Field, field_validator, model_validator

from log_aggregator.model.fields.levels import fold
from log_aggregator_trends.incidents import Incident

Kind = Literal[
    "webhook", "ntfy", "slack", "discord", "teams", "telegram", "matrix", "gotify", "pagerduty", "alertmanager", "email"
]

_DEFAULT_URLS = {"telegram": "https://api.telegram.org", "pagerduty": "https://events.pagerduty.com/v2/enqueue"}
_NEEDS = {"telegram": ("token", "to"), "matrix": ("token", "to"), "gotify": ("token",), "pagerduty": ("token",),
          "email": ("to",)}  # fmt: skip
_ONE_BY_ONE = {"pagerduty", "alertmanager", "webhook"}
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)(?: ([A-Za-z][A-Za-z0-9_+/-]*))?")


class Target(BaseModel):
    """One destination for incident notifications."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = Field("webhook", description="format of the notification")
    url: AnyUrl | None = Field(
        None, validate_default=True,
        description="URL to send to; for ntfy with the topic, https://ntfy.sh/my-topic; for email the server, "
        "smtp://name:password@mail.example.org:587, or smtps://",
    )  # fmt: skip
    token: str = Field("", repr=False, description="Telegram, Matrix, Gotify: the token; PagerDuty: the routing key")
    to: str = Field("", description="Telegram: the chat; Matrix: the room's id; email: addresses, with commas between")
    sender: str = Field("log-aggregator@localhost", description="email: the sender's address")
    headers: dict[str, str] = Field({}, description="headers of every request, for example Authorization")
    samples: bool = Field(True, description="include sample log lines in notifications")
    resolved: bool = Field(True, description="also notify when an incident is resolved")
    sources: list[str] = Field([], description="only incidents of these sources; * is a wildcard")
    levels: list[str] = Field([], description="only incidents of these levels")
    kinds: list[str] = Field([], description="only these kinds of incidents, such as rule or severe")
    quiet_hours: str = Field(
        "", description='"22:00-07:00 Europe/Berlin": what happens meanwhile is sent at the end; default zone: UTC'
    )
    digest_minutes: float = Field(
        0.0, ge=0, le=1440, description="after a notification, gather what comes for so long, and send it as one"
    )

    @field_validator("quiet_hours")
    @classmethod
    def _hours(cls, text: str) -> str:
        if text:
            _quiet(text)
        return text

    @field_validator("levels")
    @classmethod
    def _folded(cls, levels: list[str]) -> list[str]:
        return [fold(level)[0] for level in levels]

    @model_validator(mode="after")
    def _complete(self) -> Target:
        if self.url is None:
            if self.kind not in _DEFAULT_URLS:
                raise ValueError(f"url: a target of the kind {self.kind} needs one")
            self.url = AnyUrl(_DEFAULT_URLS[self.kind])
        schemes = ("smtp", "smtps") if self.kind == "email" else ("http", "https")
        if self.url.scheme not in schemes or not self.url.host:
            raise ValueError(f"url: expected an address that begins with {' or '.join(f'{s}://' for s in schemes)}")
        needed = _NEEDS.get(self.kind, ())
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            keys = " and ".join(f"'{name}'" for name in needed)
            raise ValueError(f"{', '.join(missing)}: missing; a target of the kind {self.kind} needs {keys}")
        if self.digest_minutes and self.kind in _ONE_BY_ONE:
            raise ValueError(f"digest_minutes: a target of the kind {self.kind} gets each incident by itself")
        return self

    @property
    def address(self) -> str:
        """Where it is."""
        return str(self.url)

    @property
    def host(self) -> str:
        """The host of its address."""
        return (self.url and self.url.host) or ""

    @property
    def takes_digests(self) -> bool:
        """Whether one notification may tell of several incidents."""
        return self.kind not in _ONE_BY_ONE

    def wants(self, incident: Incident) -> bool:
        """Whether its filters let an incident pass."""
        if self.kinds and incident.kind not in self.kinds:
            return False
        if self.levels and incident.level not in self.levels:
            return False
        return not self.sources or any(fnmatchcase(incident.source, glob) for glob in self.sources)

    def quiet_until(self, now: float) -> float:
        """The end of the quiet hours in which a time (epoch seconds) lies; `now` when it lies in none."""
        if not self.quiet_hours:
            return now
        begin, end, zone = _quiet(self.quiet_hours)
        local = datetime.fromtimestamp(now, zone)
        for days in (-1, 0):
            start = datetime.combine(local.date() + timedelta(days), begin, zone)
            over = datetime.combine(local.date() + timedelta(days + (end <= begin)), end, zone)
            if start <= local < over:
                return over.astimezone(UTC).timestamp()
        return now


class Visitor(BaseModel):
    """A target that is told for a time: a receiver on this machine, such as that of `log-aggregator demo`."""

    model_config = ConfigDict(extra="forbid")

    url: AnyUrl = Field(description="an address on this machine, in ntfy's form: http://127.0.0.1:PORT/topic")
    seconds: float = Field(600.0, gt=0, le=3600)

    @field_validator("url")
    @classmethod
    def _local(cls, url: AnyUrl) -> AnyUrl:
        if url.scheme != "http" or url.host not in ("127.0.0.1", "[::1]", "localhost") or url.username:
            raise ValueError("expected an address on this machine, such as http://127.0.0.1:PORT/topic")
        return url


def _quiet(text: str) -> tuple[time, time, ZoneInfo]:
    found = _HOURS.fullmatch(text)
    if not found:
        raise ValueError('expected two times of the day and a zone, such as "22:00-07:00 Europe/Berlin"')
    begin, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if begin == end:
        raise ValueError("expected an end that is not the beginning")
    try:
        return begin, end, ZoneInfo(found[5] or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{found[5]}: this machine knows no such time zone; expected one such as UTC") from None

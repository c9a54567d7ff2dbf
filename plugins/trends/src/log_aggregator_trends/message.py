"""A notification before it has the form of its target: of one incident, or of several as a digest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from log_aggregator_trends.bodies import LONGEST_TEXT, link, shortened, text, title
from log_aggregator_trends.incidents import Incident

_DIGEST_LINES = 3


class Message(msgspec.Struct, frozen=True):
    """What is told. `key` is the incident's id; `anomaly` is the incident as the stores get it."""

    key: str
    state: str
    title: str
    text: str
    link: str
    updated: int
    anomaly: dict[str, Any]

    @property
    def over(self) -> bool:
        """Whether it says that an incident is over."""
        return self.state == "resolved"


def message_of(incident: Incident, state: str, public_url: str = "", *, samples: bool = True) -> Message:
    """What is told of an incident in a state (`open` or `resolved`)."""
    anomaly = msgspec.to_builtins(incident.anomaly())
    if not samples:
        for member in anomaly["details"]["series"]:
            member.pop("samples", None)
    return Message(
        incident.id,
        state,
        title(incident, state),
        text(incident, state, samples=samples),
        link(incident, public_url),
        incident.updated,
        anomaly,
    )


def digest_of(messages: Sequence[Message], public_url: str = "") -> Message:
    """One message in place of several; of an incident that is open and over among them, its end alone is told."""
    if len(messages) == 1:
        return messages[0]
    ended = {message.key for message in messages if message.over}
    told = [message for message in messages if message.over or message.key not in ended]
    if len(told) == 1:
        return told[0]
    parts = ["\n".join([m.title, *m.text.splitlines()[:_DIGEST_LINES], m.link]).strip() for m in told]
    state = "resolved" if all(message.over for message in told) else "open"
    address = f"{public_url.rstrip('/')}/#/anomalies" if public_url else ""
    heading = f"{len(told)} incidents: {told[0].title}"
    last = told[-1]
    return Message(last.key, state, heading, shortened("\n\n".join(parts), LONGEST_TEXT), address, last.updated, {})

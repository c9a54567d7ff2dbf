"""Syslog messages → records."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from log_aggregator import Record
from log_aggregator.receivers import BadLogError, RecordTemplate, SentFields, record_of_text
from log_aggregator_syslog.message import Message, parse
from log_aggregator_syslog.times import timestamp_of

ASSUMED = frozenset({27, 30, 40, 45, 190})
"""Priorities that Docker (daemon.err and daemon.info) and Heroku put on everything: they say nothing of a level."""

ASSUMED_OF_OBJECTS = ASSUMED | {13, 14}
"""`logger` and most libraries send these unless they are told otherwise: a level inside of a JSON message wins."""

CEE = "@cee:"

MOST_TEMPLATES = 1000
"""Programs of which what their messages share is remembered."""


class Records:
    """Makes records of messages, and counts those without text in `empty`."""

    def __init__(self, zone: tzinfo | None, *, unescape: bool) -> None:
        """`zone`: of times without one; `None` is the zone of this machine."""
        self._zone = zone
        self._unescape = unescape
        self._templates: dict[tuple[int, str, str], RecordTemplate] = {}
        self.empty = 0

    def of(self, messages: Iterable[tuple[bytes, str]]) -> list[Record]:
        """The records of messages with the addresses that they came from."""
        now = datetime.fromtimestamp(time.time(), UTC)
        records = []
        for data, peer in messages:
            try:
                records.append(self._record(parse(data, unescape=self._unescape), peer, now))
            except BadLogError:
                self.empty += 1
        return records

    def _record(self, message: Message, peer: str, now: datetime) -> Record:
        text = message.text.strip()
        if text.startswith(CEE):
            text = text.removeprefix(CEE).lstrip()
        if message.program and message.priority >= 0 and message.priority not in ASSUMED and text[:1] != "{":
            return self._plain(message, text, now)
        envelope = SentFields(metadata=_metadata(message))
        defaults = SentFields()
        if message.program:
            envelope["source"] = message.program
        else:  # a program that a JSON message names is better than a machine
            defaults["source"] = message.host or peer
        sent = timestamp_of(message.time, self._zone, now)
        if sent is not None:
            envelope["timestamp"] = sent
        assumed = ASSUMED_OF_OBJECTS if text.startswith("{") else ASSUMED
        if message.priority in assumed:
            defaults["level"] = message.priority & 7
        elif message.priority >= 0:
            envelope["level"] = message.priority & 7
        return record_of_text(text, envelope=envelope, defaults=defaults)

    def _plain(self, message: Message, text: str, now: datetime) -> Record:
        """The record of a text that is no object, from a program that says its severity: as most are."""
        key = message.priority, message.program, message.host
        template = self._templates.get(key)
        if template is None:
            if len(self._templates) >= MOST_TEMPLATES:
                self._templates.clear()
            metadata = _metadata(message._replace(process="", message_id="", parameters={}))
            template = RecordTemplate(level=message.priority & 7, source=message.program, metadata=metadata)
            self._templates[key] = template
        more = dict(message.parameters)
        if message.process:
            more.setdefault("procid", message.process)
        if message.message_id:
            more.setdefault("msgid", message.message_id)
        when = timestamp_of(message.time, self._zone, now)
        return template.record(text, when * 1000 if type(when) is int else when, more)


def _metadata(message: Message) -> dict[str, str]:
    named = {
        "host": message.host if message.program else "",
        "procid": message.process,
        "msgid": message.message_id,
        "facility": message.facility,
    }
    return {name: value for name, value in named.items() if value} | message.parameters

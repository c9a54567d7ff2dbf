"""MQTT messages → records."""

from __future__ import annotations

from typing import Any

import msgspec

from log_aggregator import Record
from log_aggregator.receivers import BadLogError, SentFields, record_of_text

MOST = 10_000
"""Logs of one message."""


def records_of(topic: str, payload: bytes) -> tuple[list[Record], int]:
    """The records of a message, and how many of its logs were refused.

    A JSON list is a log an entry; every other payload is one log. The last part of the topic is the source where the
    log names none.
    """
    defaults = SentFields(source=topic.rstrip("/").rpartition("/")[2] or topic, metadata={"topic": topic})
    text = payload.decode("utf-8", "replace")
    entries: list[Any] = [text]
    if text.lstrip().startswith("["):
        try:
            document = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError):
            document = None
        if isinstance(document, list) and all(isinstance(entry, dict | str) for entry in document):
            entries = document[:MOST]
    records: list[Record] = []
    refused = 0
    for entry in entries:
        try:
            if isinstance(entry, dict):
                records.append(Record.from_object(entry, defaults=defaults))
            else:
                records.append(record_of_text(entry, defaults=defaults))
        except BadLogError:
            refused += 1
    return records, refused

"""MQTT messages → records."""

from __future__ import annotations

from log_aggregator import Record
from log_aggregator.receivers import SentFields, records_of_payload


def records_of(topic: str, payload: bytes) -> tuple[list[Record], int]:
    """The records of a message, and how many of its logs were refused.

    The last part of the topic is the source where the log names none.
    """
    source = topic.rstrip("/").rpartition("/")[2] or topic
    return records_of_payload(payload, SentFields(source=source, metadata={"topic": topic}))

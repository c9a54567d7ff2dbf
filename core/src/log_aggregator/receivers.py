"""What the author of a receiver imports beside `log_aggregator`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from log_aggregator.errors import OverloadedError
from log_aggregator.listeners import (
    Connection,
    Datagram,
    Frame,
    FrameTooLargeError,
    Listener,
    SlowSenderError,
    Tls,
    TlsOptions,
)
from log_aggregator.model.fields.construct import SentFields, with_stack
from log_aggregator.model.fields.lenient import BadLogError
from log_aggregator.model.receipt import AutomaticKey, Receipt
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import Link, SentAggregates
from log_aggregator.model.template import RecordTemplate

if TYPE_CHECKING:
    from log_aggregator.hookspecs import Service

__all__ = [
    "AutomaticKey",
    "BadLogError",
    "Connection",
    "Datagram",
    "Frame",
    "FrameTooLargeError",
    "Link",
    "Listener",
    "OverloadedError",
    "Receipt",
    "RecordTemplate",
    "SentAggregates",
    "SentFields",
    "SlowSenderError",
    "Tls",
    "TlsOptions",
    "ingest_when_possible",
    "record_of_text",
    "records_of_payload",
    "with_stack",
]

MOST_IN_PAYLOAD = 10_000
"""Logs of one message of a broker."""


async def ingest_when_possible(
    service: Service,
    records: Sequence[Record],
    *,
    key: str | AutomaticKey | None = None,
    position: tuple[str, bytes] | None = None,
) -> Receipt:
    """`service.ingest`, again and again while the service is overloaded: for senders that can wait.

    The caller reads nothing meanwhile, so the sender is held back. Raises `Reject`.
    """
    while True:
        try:
            return await service.ingest(records, key=key, position=position)
        except OverloadedError as error:
            await asyncio.sleep(error.retry_after)


def record_of_text(text: str, *, envelope: SentFields | None = None, defaults: SentFields | None = None) -> Record:
    """A record of one line: its fields by the field table when it is a JSON object, else the line as the message.

    `envelope` and `defaults` as in `Record.from_object`. A JSON object without a message stays whole as the message.
    Raises `BadLogError` when the text is empty.
    """
    around, assumed = envelope or SentFields(), defaults or SentFields()
    body = _object_in(text)
    if body is not None:
        try:
            return Record.from_object(body, envelope=around, defaults=SentFields(**{"message": text, **assumed}))
        except BadLogError:
            pass
    record = Record.of(
        text,
        level=around.get("level", assumed.get("level")),
        source=around.get("source") or assumed.get("source"),
        timestamp=around.get("timestamp") or assumed.get("timestamp"),
        metadata=assumed.get("metadata", {}) | around.get("metadata", {}),
    )
    if "level" not in around:
        record.level_is_explicit = False
    return record


def records_of_payload(payload: bytes, defaults: SentFields) -> tuple[list[Record], int]:
    """The records of a message that a broker hands out, and how many of its logs were refused.

    A JSON list of objects and texts is a log an entry, and those beyond `MOST_IN_PAYLOAD` are refused; every other
    payload is one log.
    """
    text = payload.decode("utf-8", "replace")
    entries: list[Any] = [text]
    if text.lstrip().startswith("["):
        try:
            document = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError):
            document = None
        if isinstance(document, list) and all(isinstance(entry, dict | str) for entry in document):
            entries = document
    records: list[Record] = []
    refused = max(0, len(entries) - MOST_IN_PAYLOAD)
    for entry in entries[:MOST_IN_PAYLOAD]:
        try:
            if isinstance(entry, dict):
                records.append(Record.from_object(entry, defaults=SentFields(**defaults)))
            else:
                records.append(record_of_text(entry, defaults=SentFields(**defaults)))
        except BadLogError:
            refused += 1
    return records, refused


def _object_in(text: str) -> dict[str, Any] | None:
    stripped = text.strip()
    if not (stripped.startswith("{") and stripped.endswith("}")):
        return None
    try:
        value = msgspec.json.decode(stripped)
    except (msgspec.DecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None

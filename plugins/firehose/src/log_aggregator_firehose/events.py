"""What the records of a delivery hold → logs: events of CloudWatch, JSON objects, or lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from log_aggregator import Record
from log_aggregator.http.receiving import SentBody
from log_aggregator.receivers import BadLogError, SentFields, record_of_text
from log_aggregator_firehose.delivery import plain

_next_value = json.JSONDecoder(strict=False).raw_decode
STREAM = "X-Amz-Firehose-Source-Arn"
COMMON = "X-Amz-Firehose-Common-Attributes"


def read(sent: SentBody) -> Iterator[Record | BadLogError]:
    """The logs of a delivery. Raises `Problem` 400 and 413."""
    delivery = plain(sent.body)
    sent.request_id = delivery.request_id
    common = _common(sent.request.headers.get(COMMON, ""))
    stream = sent.request.headers.get(STREAM, "").rpartition("/")[2]
    defaults = SentFields(source=sent.request.query.get("source") or stream or "firehose", timestamp=sent.received)
    for _ in range(delivery.broken):
        yield BadLogError("data: not base64, or a gzip that breaks off")
    for record in delivery.records:
        sent.check_count(record.count(b"\n") + record.count(b'"message"'))
        yield from _logs(record.decode("utf-8", "replace"), common, defaults)


def _logs(text: str, common: dict[str, Any], defaults: SentFields) -> Iterator[Record | BadLogError]:
    """The logs of one record: JSON objects one behind the other, or lines."""
    at = 0
    while (at := _after_space(text, at)) < len(text):
        if text.startswith("{", at):
            try:
                value, at = _next_value(text, at)
            except (ValueError, RecursionError):
                pass
            else:
                yield from _of_object(value, common, defaults)
                continue
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        yield _read(text[at:end].rstrip("\r"), SentFields(metadata=dict(common)), defaults)
        at = end


def _of_object(value: dict[str, Any], common: dict[str, Any], defaults: SentFields) -> Iterator[Record | BadLogError]:
    kind, events = value.get("messageType"), value.get("logEvents")
    if kind == "CONTROL_MESSAGE":  # CloudWatch looks whether anybody is there
        return
    if kind != "DATA_MESSAGE" or not isinstance(events, list):
        envelope = SentFields(metadata=dict(common))
        whole = SentFields(**{**defaults, "message": msgspec.json.encode(value).decode()})
        try:
            yield Record.from_object(value, envelope=envelope, defaults=whole)
        except BadLogError as error:
            yield error
        return
    about = {name: value[name] for name in ("logStream", "owner") if isinstance(value.get(name), str)}
    group = value.get("logGroup")
    for event in events:
        if not isinstance(event, dict) or not isinstance(event.get("message"), str):
            yield BadLogError("a log event without a message")
            continue
        envelope = SentFields(metadata={**common, **about})
        if isinstance(event.get("id"), str):
            envelope["metadata"]["id"] = event["id"]
        if isinstance(group, str) and group and "source" not in common:
            envelope["source"] = group
        if isinstance(event.get("timestamp"), int | float):
            envelope["timestamp"] = event["timestamp"]
        yield _read(event["message"].rstrip("\r\n"), envelope, defaults)


def _read(text: str, envelope: SentFields, defaults: SentFields) -> Record | BadLogError:
    try:
        return record_of_text(text, envelope=envelope, defaults=SentFields(**defaults))
    except BadLogError as error:
        return error


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _common(header: str) -> dict[str, Any]:
    """The attributes that a person gave to all deliveries of a stream."""
    try:
        document = msgspec.json.decode(header) if header else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
    found = document.get("commonAttributes") if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}

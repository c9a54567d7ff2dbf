"""Bodies of `/services/collector` → records: JSON objects one behind the other, or lines of text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from log_aggregator import Record
from log_aggregator.http.receiving import Problem, SentBody
from log_aggregator.receivers import BadLogError, SentFields, record_of_text

_next_value = json.JSONDecoder(strict=False).raw_decode
_BETWEEN = " \t\r\n,"
_STREAMS = frozenset({"stdout", "stderr"})
_LEVELS = ("severity", "level", "log_level")
_OF_DOCKER = ("line", "tag", "source", "attrs")


def read_events(sent: SentBody) -> Iterator[Record | BadLogError]:
    """The records of events. Raises `Problem` 400 when the first one is no JSON object."""
    sent.check_values()
    text = sent.body.decode("utf-8", "replace").lstrip("\ufeff")
    at, read = 0, 0
    while (at := _after_space(text, at)) < len(text):
        try:
            value, at = _next_value(text, at)
        except (ValueError, RecursionError):
            if not read:
                raise Problem(400, "Invalid data format") from None
            yield BadLogError("what follows is not JSON")
            return
        for event in value if isinstance(value, list) else [value]:
            read += 1
            yield _event(sent, event)
    if not read:
        raise Problem(400, "No data")


def read_raw(sent: SentBody) -> Iterator[Record | BadLogError]:
    """The records of lines. Source, host and time stand in the query. Raises `Problem` 400 when there is none."""
    query = sent.request.query
    if not sent.body.strip():
        raise Problem(400, "No data")
    if not query.get("time"):
        sent.all_timed = False
    about = {name: query[name] for name in ("source", "sourcetype", "host", "index", "time") if query.get(name)}
    for line in sent.lines():
        try:
            yield _of(line.decode("utf-8", "replace").rstrip("\r"), _envelope(about), SentFields())
        except BadLogError as error:
            yield error


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BETWEEN:
        at += 1
    return at


def _event(sent: SentBody, about: Any) -> Record | BadLogError:
    if not isinstance(about, dict):
        return BadLogError("an event that is no object")
    event = about.get("event")
    if event is None or event in ("", {}):
        return BadLogError("event: missing")
    try:
        record = _of(event, _envelope(about), SentFields(timestamp=sent.received))
    except BadLogError as error:
        return error
    return sent.noted(record)


def _envelope(about: Mapping[str, Any]) -> SentFields:
    """What is said of an event around it."""
    fields = about.get("fields")
    metadata = {name: about[name] for name in ("host", "index", "sourcetype") if about.get(name)}
    if isinstance(fields, dict):
        metadata = fields | metadata
    envelope = SentFields(metadata=metadata)
    if about.get("time") is not None:
        envelope["timestamp"] = about["time"]
    source = about.get("source")
    if isinstance(source, str) and source and source not in _STREAMS:
        envelope["source"] = source
    level = next((metadata[name] for name in _LEVELS if isinstance(metadata.get(name), str)), None)
    if level is not None:
        envelope["level"] = level
        envelope["metadata"] = {name: value for name, value in metadata.items() if name not in _LEVELS}
    return envelope


def _of(event: Any, envelope: SentFields, defaults: SentFields) -> Record:
    metadata = envelope.get("metadata", {})
    fallback = metadata.get("sourcetype") or metadata.get("host")
    if isinstance(fallback, str):
        defaults["source"] = fallback
    if isinstance(event, str):
        return record_of_text(event, envelope=envelope, defaults=defaults)
    if not isinstance(event, dict):
        return record_of_text(msgspec.json.encode(event).decode(), envelope=envelope, defaults=defaults)
    if "line" in event and event.keys() <= set(_OF_DOCKER):
        return _of_docker(event, envelope, defaults)
    defaults["message"] = msgspec.json.encode(event).decode()
    return Record.from_object(_opened(event), envelope=envelope, defaults=defaults)


def _of_docker(event: dict[str, Any], envelope: SentFields, defaults: SentFields) -> Record:
    """What Docker's driver sends: the line, and what the container is called."""
    attributes = event.get("attrs")
    stream = {"stream": event["source"]} if event.get("source") in _STREAMS else {}
    envelope["metadata"] = {
        **(attributes if isinstance(attributes, dict) else {}), **stream, **envelope.get("metadata", {}),
    }  # fmt: skip
    tag = event.get("tag")
    if isinstance(tag, str) and tag and "source" not in envelope:
        envelope["source"] = tag
    if event["line"] in (None, ""):
        raise BadLogError("event.line: empty")
    return _of(event["line"], envelope, defaults)


def _opened(event: dict[str, Any]) -> dict[str, Any]:
    """`{message: {msg, meta}}`, which winston's transport makes of a log, as one object."""
    inner = event.get("message")
    if isinstance(inner, dict):
        event = {**{name: value for name, value in event.items() if name != "message"}, **inner}
    more = event.get("meta")
    if isinstance(more, dict):
        repeats = {("message", event.get("msg")), ("level", event.get("severity"))}
        more = {name: value for name, value in more.items() if type(value) is not str or (name, value) not in repeats}
        event = {**more, **{name: value for name, value in event.items() if name != "meta"}}
    return event

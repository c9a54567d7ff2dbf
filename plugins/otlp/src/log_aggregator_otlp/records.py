"""One log record of OTLP, in whichever form it came → a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from log_aggregator import Record
from log_aggregator.receivers import RecordTemplate, SentFields, with_stack

LEVELS = (None, *(level for level in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL") for _ in range(4)))
"""Levels by SeverityNumber, 0 to 24: four numbers each."""

PLAIN_NANOS = 10**17
"""Nanoseconds from which on a number is taken for nanoseconds, in 1973."""

_SOURCES = ("k8s.container.name", "container.name", "host.name")
_OWN_SOURCES = ("service.name", "service_name", "service", "app", "application")
_OWN_LEVELS = ("level", "severity", "severity_text", "log.level", "lvl", "loglevel")
_OF_THE_SDK = "telemetry.sdk."
_ANONYMOUS = "unknown_service"
_MOST_TEMPLATES = 1000


class Origin(NamedTuple):
    """What records of one resource and scope share: what they say of their source, and metadata.

    `templates` remembers what records of one level and source share.
    """

    source: str
    fallback: str
    metadata: dict[str, Any]
    templates: dict[tuple[Any, str | None], RecordTemplate]


class SentRecord(NamedTuple):
    """A log record as sent. Times are nanoseconds, 0 where there is none; ids are hex, or empty."""

    body: Any
    number: int
    text: str
    nanos: int
    attributes: dict[str, Any]
    trace_id: str
    span_id: str
    event: str


def origin_of(resource: Mapping[str, Any], scope: str) -> Origin:
    """The origin of a resource's attributes and a scope's name."""
    named = resource.get("service.name")
    named = named if isinstance(named, str) else ""
    source = "" if named.startswith(_ANONYMOUS) else named
    fallback = next((str(resource[key]) for key in _SOURCES if resource.get(key)), named)
    metadata = {
        key: value
        for key, value in resource.items()
        if not key.startswith(_OF_THE_SDK) and key not in ("service.instance.id", "service.name")
    }
    if scope:
        metadata["scope"] = scope
    return Origin(source, fallback, metadata, {})


def record_of(sent: SentRecord, origin: Origin) -> Record:
    """The record. Raises `BadLogError` when there is nothing that could be a message."""
    attributes = sent.attributes
    source = origin.source or _taken(attributes, _OWN_SOURCES) or origin.fallback or None
    level: Any = LEVELS[sent.number] if 0 < sent.number < len(LEVELS) else sent.text or None
    is_object = isinstance(sent.body, dict)
    if level is None and attributes and not is_object:
        level = _taken(attributes, _OWN_LEVELS)
    if sent.trace_id or sent.span_id:
        attributes = attributes | {"trace_id": sent.trace_id, "span_id": sent.span_id}
    message = "" if is_object else _message(sent)
    if not message:
        return _of_object(sent, level, source, origin.metadata | attributes)
    message = with_stack(message, attributes)
    return template_of(origin, level, source).record(message, _time(sent.nanos), attributes)


def template_of(origin: Origin, level: Any, source: str | None) -> RecordTemplate:
    """What records of one origin, level and source share."""
    templates = origin.templates
    template = templates.get((level, source))
    if template is None:
        if len(templates) >= _MOST_TEMPLATES:
            templates.clear()
        template = RecordTemplate(level=level, source=source, metadata=origin.metadata)
        templates[level, source] = template
    return template


def _of_object(sent: SentRecord, level: Any, source: str | None, metadata: dict[str, Any]) -> Record:
    """A body that is an object is read as a JSON log; without a body the attributes are."""
    envelope = SentFields(metadata={key: value for key, value in metadata.items() if key not in sent.attributes})
    defaults = SentFields()
    if level is not None:
        envelope["level"] = level
    if sent.nanos:
        envelope["timestamp"] = _time(sent.nanos)
    if source is not None:
        envelope["source"] = source
    if sent.event:
        defaults["message"] = sent.event
    body = sent.body if isinstance(sent.body, dict) else {}
    if body:
        defaults.setdefault("message", msgspec.json.encode(body).decode())
    return Record.from_object(sent.attributes | body, envelope=envelope, defaults=defaults)


def _message(sent: SentRecord) -> str:
    body = sent.body
    if isinstance(body, str):
        return body or sent.event
    if body is None:
        return sent.event
    if isinstance(body, bytes):
        return body.decode("utf-8", "replace")
    return msgspec.json.encode(body).decode()


def _taken(attributes: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these attributes, which is removed: it becomes a field of the record."""
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str | int) and value != "" and not isinstance(value, bool):
            del attributes[name]
            return value
    return None


def _time(nanos: int) -> int | float | None:
    """The time in a form that cannot be taken for another unit; small numbers would be."""
    if not nanos:
        return None
    return nanos if nanos >= PLAIN_NANOS else nanos / 10**9

"""One document → a record, by the Elastic Common Schema and what loggers write in its place."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from log_aggregator import Record
from log_aggregator.http.receiving import SentBody
from log_aggregator.receivers import BadLogError, SentFields

_DROPPED = frozenset({"@version", "ecs"})
_SOURCES = (
    ("container", "name"),
    ("kubernetes", "container", "name"),
    ("host", "name"),
    ("agent", "name"),
)


def record_of(sent: SentBody, document: Any, index: str, *, has_id: bool) -> Record:
    """The record of a document. Raises `BadLogError` when there is no message in it."""
    if not isinstance(document, dict):
        raise BadLogError("a document that is no object")
    log = document
    more = log.get("fields")
    if isinstance(more, dict) or not _DROPPED.isdisjoint(log):
        log = {key: value for key, value in log.items() if key not in _DROPPED}
        if isinstance(more, dict):  # winston-elasticsearch, and Filebeat's own fields
            del log["fields"]
            log = more | log
    defaults = _defaults(index, sent.received)
    try:
        record = Record.from_object(log, defaults=defaults)
    except BadLogError:
        original = _at(log, ("event", "original"))
        if not isinstance(original, str):
            raise
        record = Record.from_object(log, defaults=SentFields(**defaults, message=original))
    if record.source == index and (source := _source(log)):
        record.source = Record.of("-", source=source).source
    return sent.noted(record, has_id=has_id)


@lru_cache(maxsize=100)
def _defaults(index: str, received: int) -> SentFields:
    """What documents of one request have that do not say it: one object for all, never changed."""
    return SentFields(source=index, timestamp=received)


def _source(log: dict[str, Any]) -> str:
    for path in _SOURCES:
        value = log.get(".".join(path)) or _at(log, path)
        if isinstance(value, str) and value:
            return value
    return ""


def _at(log: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = log
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value

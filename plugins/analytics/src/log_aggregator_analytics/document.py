"""A flush as JSON of the published schema, split into pieces of bounded size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from log_aggregator.model.summary import to_json
from log_aggregator.sinks import Aggregate, Alias, Anomaly, Flush
from log_aggregator_analytics.trends import Trend

VERSION = 1
"""Version of the schema; incremented by incompatible changes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = ("aggregates", "trends", "anomalies", "aliases")


class Piece(NamedTuple):
    """The content of one request: its idempotency key and JSON body. The next piece begins at item `end`."""

    key: str
    body: bytes
    end: int
    last: bool


def cut_piece(flush: Flush, trends: list[Trend | None], start: int, max_bytes: int) -> Piece:
    """The piece that begins at item `start`, with items of at most `max_bytes` unless a single item is larger.

    The items of a flush are its anomalies, then its aliases, then its aggregates, each with its trend. The same
    flush, start and bound always give the same items and the same key.
    """
    parts: dict[str, list[bytes]] = {name: [] for name in _PARTS}
    size, end = 0, start
    total = len(flush.anomalies) + len(flush.aliases) + len(flush.aggregates)
    for item in _items(flush, trends, start):
        added = sum(len(text) + 1 for text in item.values())
        if end > start and size + added > max_bytes:
            break
        size += added
        end += 1
        for name, text in item.items():
            parts[name].append(text)
    last = end == total
    key = flush.identity if start == 0 and last else f"{flush.identity}.{start}-{end}"
    head = _encode(_head(flush, key, start, end - start, last))
    lists = b"".join(b',"%s":[%s]' % (name.encode(), b",".join(texts)) for name, texts in parts.items())
    return Piece(key, head[:-1] + lists + b"}", end, last)


def _head(flush: Flush, key: str, first: int, items: int, last: bool) -> dict[str, Any]:
    return {
        "version": VERSION,
        "batch": {
            "id": flush.identity,
            "key": key,
            "instance": flush.instance,
            "epoch": f"{flush.position.epoch:x}",
            "sequence": flush.position.sequence,
            "logs": flush.logs,
            "first_item": first,
            "items": items,
            "last": last,
        },
        "window": {"opened": _time(flush.opened), "sealed": _time(flush.sealed)},
    }


def _items(flush: Flush, trends: list[Trend | None], start: int) -> Iterator[dict[str, bytes]]:
    for index in range(start, len(flush.anomalies)):
        yield {"anomalies": _encode(_anomaly(flush.anomalies[index]))}
    start = max(0, start - len(flush.anomalies))
    for index in range(start, len(flush.aliases)):
        yield {"aliases": _encode(_alias(flush.aliases[index]))}
    start = max(0, start - len(flush.aliases))
    for index in range(start, len(flush.aggregates)):
        aggregate, trend = flush.aggregates[index], trends[index]
        item = {"aggregates": _encode(_aggregate(aggregate))}
        if trend is not None:
            item["trends"] = _encode(_key(aggregate) | {"count": trend.logs, "previous_count": trend.previous})
        yield item


def _key(aggregate: Aggregate) -> dict[str, Any]:
    return {
        "bucket": _time(aggregate.bucket * 1_000_000),
        "pattern_id": aggregate.pattern_id,
        "level": aggregate.level,
        "source": aggregate.source,
        "group": msgspec.json.decode(aggregate.group) if aggregate.group else None,
    }


def _aggregate(aggregate: Aggregate) -> dict[str, Any]:
    return _key(aggregate) | {
        "pattern": aggregate.pattern,
        "count": aggregate.count,
        "first_seen": _time(aggregate.first_seen),
        "last_seen": _time(aggregate.last_seen),
        "category": aggregate.category or None,
        "tags": aggregate.tags,
        "metadata": {key: _readable(entry) for key, entry in to_json(aggregate.metadata).items()},
        "samples": aggregate.samples.messages,
    }


def _readable(entry: dict[str, Any]) -> dict[str, Any]:
    """A metadata summary without the fields that only serve merging."""
    shown = {name: value for name, value in entry.items() if name != "state"}
    if "numbers" in shown:
        hidden = {"zeros", "bins"}
        shown["numbers"] = {name: value for name, value in shown["numbers"].items() if name not in hidden}
    return shown


def _anomaly(anomaly: Anomaly) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(anomaly)
    for name in ("started", "updated", "resolved"):
        shown[name] = None if shown[name] is None else _time(shown[name])
    return shown


def _alias(alias: Alias) -> dict[str, Any]:
    return {"old_id": alias.old_id, "new_id": alias.new_id, "pattern": alias.pattern or None, "at": _time(alias.at)}


def _time(microseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _encode(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # A lone surrogate from another plugin: UTF-8 cannot encode it.
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")

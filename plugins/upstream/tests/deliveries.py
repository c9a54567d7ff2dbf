"""Deliveries as an edge would send them, and some that no edge sends."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import msgspec
import zstandard

from log_aggregator.model.samples import Detail, Samples
from log_aggregator.model.summary import summarize
from log_aggregator.sinks import Aggregate
from log_aggregator_dev.harness import Answer, Harness
from log_aggregator_upstream.columns import Columns
from log_aggregator_upstream.delivery import CONTENT_TYPE

EDGE = "0123456789abcdef"
NOON = 1_750_000_200
"""Epoch seconds at which a bucket begins."""

US = 1_000_000


def group(
    pattern: str = "User {ID} logged in",
    message: str = "User 7 logged in",
    *,
    metadata: Mapping[str, Any] | None = None,
    variables: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Aggregate:
    """An aggregate of two logs."""
    known: dict[str, Any] = {
        "bucket": NOON,
        "pattern": pattern,
        "level": "INFO",
        "source": "shop",
        "count": 2,
        "first_seen": NOON * US,
        "last_seen": NOON * US + 5,
        "samples": Samples((message,), 0, (Detail(NOON * US + 5, "", (NOON * US, "")),)),
        "minutes": (2,),
        "metadata": summarize([metadata or {}]),
        "variables": summarize([variables or {}]),
    }
    return Aggregate(**{**known, **fields})


def document(*aggregates: Any, **fields: Any) -> dict[str, Any]:
    """The first delivery of an edge, to be encoded."""
    known = {
        "version": 1,
        "edge": EDGE,
        "place": (5, 1),
        "previous": (0, 0),
        "via": [EDGE],
        "bucket": 300,
        "columns": Columns.of(map(_whole, aggregates)),
        "aliases": [],
    }
    return {**known, **fields}


def _whole(aggregate: Any) -> Aggregate:
    """An aggregate of its fields, however wrong they are."""
    if isinstance(aggregate, Aggregate):
        return aggregate
    samples = aggregate["samples"]
    details = tuple(Detail(*detail) for detail in samples["details"])
    return Aggregate(**{**aggregate, "samples": Samples(tuple(samples["messages"]), samples["latest"], details)})


async def deliver(
    service: Harness, *aggregates: Any, headers: Mapping[str, str] | None = None, **fields: Any
) -> Answer:
    """Send the first delivery of an edge, or what `fields` make of it."""
    body = zstandard.compress(msgspec.msgpack.encode(document(*aggregates, **fields)))
    sent = {"Content-Type": CONTENT_TYPE, "Content-Encoding": "zstd", **(headers or {})}
    return await service.request("POST", "/aggregates", data=io.BytesIO(body), headers=sent)

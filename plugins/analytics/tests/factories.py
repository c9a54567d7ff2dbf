"""Factories for flushes and their parts, and the published schema."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from log_aggregator.model.samples import Samples
from log_aggregator.model.summary import summarize
from log_aggregator.sinks import Aggregate, Alias, Anomaly, Flush, Position

NOW = 1_800_000_000_000_000
BUCKET = 1_800_000_000 // 300 * 300

SCHEMA: dict[str, Any] = json.loads(
    (files("log_aggregator_analytics") / "analytics-batch.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())


def aggregate(pattern: str = "User {ID} logged in", count: int = 2, bucket: int = BUCKET, **more: Any) -> Aggregate:
    return Aggregate(
        bucket, pattern, more.pop("level", "INFO"), more.pop("source", "auth"), count, NOW, NOW + 5, **more
    )


def rich_aggregate() -> Aggregate:
    many = [{"user": f"u{number}", "took": f"{number}ms", "ok": True} for number in range(100)]
    return aggregate(
        count=100,
        group='{"tenant":"blue"}',
        metadata=summarize(many),
        samples=Samples(("User 1 logged in", "User 2 logged in"), 1),
        categories={"security": 90, "web": 10},
        tags={"login": 100},
    )


def anomaly(**more: Any) -> Anomaly:
    fields: dict[str, Any] = {
        "id": "a1", "kind": "spike", "state": "open", "tier": "notify", "pattern_id": "0" * 16, "pattern": "p",
        "level": "ERROR", "source": "shop", "started": NOW, "updated": NOW, "score": 0.9,
        "details": {"expected": [1, 3], "seen": 40},
    }  # fmt: skip
    return Anomaly(**(fields | more))


def alias() -> Alias:
    return Alias("0123456789abcdef", "User {NAME} logged in", NOW)


def flush(*aggregates: Aggregate, sequence: int = 1, lost: bool = False, **more: Any) -> Flush:
    return Flush(
        instance="abc",
        position=Position(0xFEED, sequence),
        previous=None if lost else Position(0, 0),
        opened=NOW,
        sealed=NOW + 1_000_000,
        logs=sum(one.count for one in aggregates),
        aggregates=aggregates,
        **more,
    )

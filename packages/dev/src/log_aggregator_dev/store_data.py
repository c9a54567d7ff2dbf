"""What the checks of a store put into it: flushes whose answers are known, because a model answers beside the store."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from log_aggregator.model.aggregate import Aggregate, Alias, Anomaly, Flush
from log_aggregator.model.record import pattern_id
from log_aggregator.model.samples import Detail, Samples
from log_aggregator.model.summary import summarize
from log_aggregator_dev.factories import BUCKET, NOW, Flushes

SECOND = 1_000_000
NOON = NOW // SECOND // 3600 * 3600
"""A moment in epoch seconds at which a bucket and an hour begin."""


def at(seconds: float) -> int:
    """A moment after `NOON`, in microseconds."""
    return int((NOON + seconds) * SECOND)


def logs(pattern: str, count: int, seconds: int, **fields: Any) -> Aggregate:
    """An aggregate of logs that all came at one moment, with metadata, variables, a sample and a minute."""
    moment = at(seconds)
    given: dict[str, Any] = {
        "level": "INFO",
        "source": "web",
        "metadata": summarize([{"region": f"r{seconds}", "took": f"{seconds + 1}ms"}] * count),
        "variables": summarize([{"ID": str(seconds)}] * count),
        "samples": Samples((f"{pattern} at {seconds}",), 0, (Detail(moment, json.dumps({"region": f"r{seconds}"})),)),
        "minutes": (0,) * (seconds % BUCKET // 60) + (count,),
        **fields,
    }
    bucket = moment // SECOND // BUCKET * BUCKET
    return Aggregate(bucket=bucket, pattern=pattern, count=count, first_seen=moment, last_seen=moment, **given)


def ordinary(flushes: Flushes) -> list[Flush]:
    """Two flushes of a few patterns, levels, sources, categories and hours; some rows come in both."""
    login = {"categories": {"login": 3}, "tags": {"auth": 3}}
    first = [
        logs("User {ID} logged in", 3, 0, **login),
        logs("User {ID} logged in", 2, 400, level="ERROR", source="db", tags={"auth": 1, "slow": 2}),
        logs("100% of {PATH}_x", 4, 75, source="shop-1", level="WARN"),
    ]
    second = [
        logs("User {ID} logged in", 5, 10, categories={"login": 5}),
        logs("Disk Full", 1, 3700, level="ERROR", source="db", categories={"disk": 1}),
        logs("Disk Full", 6, 7300, level="ERROR", source="shop-2", categories={"disk": 6}),
        *(logs(f"pattern number {'abcdefghij'[number]}", 1 + number % 3, 1000 + number // 2) for number in range(10)),
    ]
    return [flushes.next(first), flushes.next(second)]


def renamed(flushes: Flushes) -> list[Flush]:
    """Patterns of which one leads to another, one stands at the beginning of a chain, and one is taken back."""
    a, b, e = (pattern_id(name) for name in ("a", "b", "e"))
    rows = [logs("a", 1, 0), logs("b", 2, 60), logs("c", 4, 400, source="db"), logs("e", 16, 5), logs("f", 32, 6)]
    return [
        flushes.next(rows, aliases=[Alias(a, "b", at(1)), Alias(e, "f", at(2))]),
        flushes.next([logs("a", 8, 700)], aliases=[Alias(b, "c", at(3)), Alias(e, "", at(4))]),
    ]


def anomaly(name: str, seconds: int, **fields: Any) -> Anomaly:
    """An anomaly of a minute."""
    given: dict[str, Any] = {
        "kind": "spike", "state": "open", "tier": "notify", "level": "ERROR", "source": "web", "score": 0.5,
        "revision": 1, "resolved": None, "details": {"expected": [1, 2], "seen": 9}, "pattern": "a", **fields,
    }  # fmt: skip
    return Anomaly(
        id=name, started=at(seconds), updated=at(seconds + 60), pattern_id=pattern_id(given["pattern"]), **given
    )


def unusual(flushes: Flushes) -> list[Flush]:
    """Anomalies that open, change and end; an older revision comes late."""
    ended = {"state": "resolved", "resolved": at(90), "revision": 3, "score": 0.9}
    return [
        flushes.next([logs("a", 1, 0)], anomalies=[anomaly("one", 0), anomaly("two", 600, pattern="b", source="db")]),
        flushes.next(anomalies=[anomaly("one", 0, **ended), anomaly("three", 1200, tier="recorded")]),
        flushes.next(anomalies=[anomaly("one", 0, revision=2, score=0.1)]),
    ]


def all_of(parts: Iterable[list[Flush]]) -> list[Flush]:
    """The flushes of several parts."""
    return [flush for part in parts for flush in part]

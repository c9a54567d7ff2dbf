"""Aggregates of other services among the accumulators: merged with those of logs, bounded, counted."""

from __future__ import annotations

from typing import Any

from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.aggregation.overflow import OVERFLOW_PATTERN
from log_aggregator.model.aggregate import Aggregate
from log_aggregator.processing.partial_aggregates import PartialAggregate


def sent(pattern: str, count: int = 2, **more: Any) -> Aggregate:
    return Aggregate(0, pattern, "INFO", "shop", count, 5, 9, minutes=(count,), **more)


def own(pattern: str) -> PartialAggregate:
    log = (7, pattern, {})
    return PartialAggregate((0, pattern, "INFO", "shop", ""), "", (), 1, log, log, log, [], 1, {1: 1})


def test_a_group_of_both_is_one() -> None:
    known = Accumulators(max_groups=100, max_samples=5)
    known.merge(sent("p"))
    known.add([own("p"), own("q")])
    known.merge(sent("p", 3))
    known.merge(sent("r"))
    assert (known.logs, known.tally.by_level) == (9, {"INFO": 9})
    found = {one.pattern: one for one in known.take()}
    assert {pattern: one.count for pattern, one in found.items()} == {"p": 6, "q": 1, "r": 2}
    assert (found["p"].minutes, found["p"].first_seen, found["p"].last_seen) == ((5, 1), 5, 9)
    assert (known.logs, len(known), list(known.take())) == (0, 0, [])


def test_groups_beyond_the_most_share_one_and_totals_stay_exact() -> None:
    known = Accumulators(max_groups=10, max_samples=5)
    for number in range(40):
        known.merge(sent(f"p {number}"))
    for number in range(40):
        known.add([own(f"q {number}")])
    known.merge(sent("p 3"))
    found = {one.pattern: one for one in known.take()}
    assert sum(one.count for one in found.values()) == 122
    assert found["p 3"].count == 4
    assert found[OVERFLOW_PATTERN].count == 100
    assert known.overflow.logs == 100

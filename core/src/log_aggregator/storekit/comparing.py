"""What changed between two spans of time: reads the counts of both, and finds what is not chance."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import log
from statistics import median
from typing import Any, NamedTuple

from log_aggregator.model.record import LEVELS
from log_aggregator.oncall import Change, CompareQuery, Comparison
from log_aggregator.storekit.shares import Shares, Tested
from log_aggregator.storekit.spans import Counted, SpanCounts
from log_aggregator.storekit.statistics import counts_p, discoveries, dispersed, share_p, spread

COUNT_RATE, SHARE_RATE = 0.005, 0.02
"""The share of findings that may be chance, of counts and levels, and of values."""

NEW = 1e-3
"""How probable a pattern may be that was never seen before the span, and comes all the same."""

_COMMON = 20
_FREQUENT = 30
_MOST = 1e12

Rows = Sequence[Sequence[Any]]
Fetch = Callable[[str, list[Any]], Awaitable[Rows]]


class Found(NamedTuple):
    """Changes by list, not cut, without what is shown of each pattern beside its counts."""

    traffic: float
    compared: int
    lists: dict[str, list[Change]]


def compare(counted: Counted, shares: Shares, before: tuple[int, int], after: tuple[int, int]) -> Found:
    """Find what changed. Spans are in microseconds.

    Counts are tested conditional on the sum of both spans, against the length of the spans and against what changed in
    common, with the spread that they have in common. A pattern is new when it came in none of the time before that is
    known. Blocking: tens of milliseconds for thousands of patterns.
    """
    before, after = counted.known(before), counted.known(after)
    counts = {name: (sum(one.before.values()), sum(one.after.values())) for name, one in counted.patterns.items()}
    length_before, length_after = before[1] - before[0], after[1] - after[0]
    traffic = _traffic(counts, length_after / length_before)
    share = _share(length_before, length_after * traffic)
    expected = traffic * length_after / length_before
    varied = spread([_ratio(b, a, expected) for b, a in counts.values() if min(b, a) >= _FREQUENT])
    tested: list[tuple[str, int, int]] = []
    probabilities: list[float] = []
    lists: dict[str, list[Change]] = {name: [] for name in ("new", "gone", "more", "less", "levels", "values")}
    for name, (b, a) in counts.items():
        one = counted.patterns[name]
        if not b and a:
            begun = one.first_seen if one.first_seen is not None and one.first_seen < after[0] else after[0]
            known_for = max(length_before, after[0] - counted.begun) if begun >= after[0] else length_before
            p = counts_p(0, a, _share(known_for, length_after * traffic)) / 2
            if p <= NEW:
                lists["new"].append(_change(counted, name, p, expected))
            continue
        tested.append((name, b, a))
        probabilities.append(dispersed(counts_p(b, a, share), 1 + varied / _ratio(b, a, expected)[1]))
    for place in discoveries(probabilities, COUNT_RATE):
        name, b, a = tested[place]
        kind = "gone" if not a else "more" if a > b * expected else "less"
        lists[kind].append(_change(counted, name, probabilities[place], expected))
    lists["levels"] = _moved(counted, counted.levels(), COUNT_RATE, expected)
    lists["values"] = _moved(counted, shares.tested(), SHARE_RATE, expected)
    for changes in lists.values():
        changes.sort(key=_rank)
    return Found(traffic, len(counts), lists)


def _moved(counted: Counted, tested: Tested, rate: float, expected: float) -> list[Change]:
    """Of each key the value whose share moved most, where that is not chance."""
    probabilities = []
    for _, _, _, values, whole_before, whole_after in tested:
        ps = [share_p(b, whole_before, a, whole_after) for _, b, a in values]
        # With two values both tests say the same.
        probabilities.append(min(1.0, min(ps) * max(1, len(ps) - (len(ps) == 2))))
    found = []
    for place in discoveries(probabilities, rate):
        name, kind, key, values, whole_before, whole_after = tested[place]
        # Where one value took the place of another, the one that grew says more.
        rising = [one for one in values if one[2] * whole_before > one[1] * whole_after] or values
        value, b, a = min(rising, key=lambda one: share_p(one[1], whole_before, one[2], whole_after))
        change = _change(counted, name, probabilities[place], expected)
        moved = {"kind": kind, "key": key, "value": value}
        shares = {"share_before": round(b / whole_before, 4), "share_after": round(a / whole_after, 4)}
        found.append(change.model_copy(update=moved | shares | ({"level": value} if kind == "level" else {})))
    return found


def _traffic(counts: dict[str, tuple[int, int]], length: float) -> float:
    """The factor by which the patterns changed in common: the median, where there are enough of them."""
    ratios = [a / b / length for b, a in counts.values() if b and a and b + a >= _COMMON]
    return median(ratios) if len(ratios) >= _COMMON else 1.0


def _ratio(before: int, after: int, expected: float) -> tuple[float, float]:
    """The logarithm of a ratio beside the expected one, and its variance by chance."""
    b, a = before + 0.5, after + 0.5
    return log(a / b / expected), 1 / b + 1 / a


def _share(before: float, after: float) -> float:
    return after / (before + after)


def _rank(change: Change) -> tuple[int, float, float, str]:
    return -_severity(change.level), -change.one_in, -abs(change.after - change.expected), change.pattern_id


def _severity(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else LEVELS.index("INFO")


def _change(counted: Counted, pattern_id: str, p: float, expected: float) -> Change:
    one = counted.patterns[pattern_id]
    before, after = sum(one.before.values()), sum(one.after.values())
    return Change(
        pattern_id=pattern_id,
        pattern=one.pattern,
        level=counted.level(pattern_id),
        source=one.source,
        before=before,
        after=after,
        expected=round(before * expected, 2),
        ratio=round(after / (before * expected), 3) if before else None,
        one_in=float(round(1 / p)) if p * _MOST > 1 else _MOST,
        first_seen=one.first_seen,
    )


async def compare_rows(spans: SpanCounts, query: CompareQuery) -> Comparison:
    """Read, compare in a thread, and cut the lists."""
    before, after = (query.before_since, query.before_until), (query.since, query.until)
    counted = await spans.count(query)
    shares = await spans.shares(query, counted)
    found = await asyncio.to_thread(compare, counted, shares, before, after)
    cut = {name: changes[: query.limit] for name, changes in found.lists.items()}
    shown = await spans.samples({change.pattern_id for changes in cut.values() for change in changes})
    for changes in cut.values():
        for change in changes:
            change.samples = shown.get(change.pattern_id, [])
    return Comparison(
        logs_before=sum(sum(one.before.values()) for one in counted.patterns.values()),
        logs_after=sum(sum(one.after.values()) for one in counted.patterns.values()),
        traffic=round(found.traffic, 3),
        compared=found.compared,
        found={name: len(changes) for name, changes in found.lists.items()},
        values_complete=shares.complete,
        **cut,
    )

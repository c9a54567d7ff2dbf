"""Comparisons keep their promises: hardly a false finding where nothing changed, and what was planted is found."""

from __future__ import annotations

import random
from statistics import NormalDist

import pytest

from log_aggregator.storekit.comparing import Found, compare
from log_aggregator.storekit.shares import Shares
from log_aggregator.storekit.spans import Counted, PatternCounts
from log_aggregator.storekit.statistics import counts_p, discoveries, dispersed, share_p

HOUR = 3_600_000_000
BEFORE, AFTER = (10 * HOUR, 11 * HOUR), (11 * HOUR, 12 * HOUR)
PAIRS, PATTERNS = 20, 500
REGIONS = ("eu", "us", "asia")


class Pair:
    """Two hours of some patterns, log-uniform in rate, with a metadata key of three values."""

    def __init__(self, seed: int, *, spread: float = 0.0, traffic: float = 1.0) -> None:
        self.rng = random.Random(seed)
        self.counted = Counted({}, BEFORE[0])
        self.shares = Shares()
        for number in range(PATTERNS):
            rate = 10 ** self.rng.uniform(-0.5, 3.5)
            drift = self.rng.lognormvariate(0, spread)
            self.add(f"p{number:04}", rate, rate * drift * traffic)

    def add(self, name: str, before: float, after: float, shares: tuple[float, float] = (0.3, 0.3)) -> None:
        counts = [self.poisson(before), self.poisson(after)]
        levels = [{"INFO": count} if count else {} for count in counts]
        self.counted.patterns[name] = PatternCounts(name, "web", *levels)
        for side, (count, share) in enumerate(zip(counts, shares, strict=True)):
            part = sum(self.rng.random() < share for _ in range(min(count, 400)))
            rest = min(count, 400) - part
            values = dict(zip(REGIONS, (part, rest - rest // 3, rest // 3), strict=True))
            one = self.shares._counts.setdefault((name, "metadata", "region"), _empty())
            one.wholes[side] += sum(values.values())
            for value, logs in values.items():
                one.values.setdefault(value, [0, 0])[side] += logs

    def poisson(self, rate: float) -> int:
        if rate > 50:
            return max(0, round(self.rng.gauss(rate, rate**0.5)))
        count, left = 0, self.rng.expovariate(1.0)
        while left < rate:
            count, left = count + 1, left + self.rng.expovariate(1.0)
        return count

    def compared(self) -> Found:
        return compare(self.counted, self.shares, BEFORE, AFTER)


def _empty() -> object:
    shares = Shares()
    shares._add(0, "x", "metadata", '{"k":{"count":0,"values":[]}}')
    return shares._counts["x", "metadata", "k"]


def findings(found: Found) -> int:
    return sum(len(changes) for changes in found.lists.values())


@pytest.mark.parametrize(("spread", "traffic"), [(0.0, 1.0), (0.0, 1.7), (0.15, 1.0)])
def test_hardly_a_finding_where_nothing_changed(spread: float, traffic: float) -> None:
    assert sum(findings(Pair(seed, spread=spread, traffic=traffic).compared()) for seed in range(PAIRS)) <= 1


def test_planted_changes_are_found() -> None:
    planted = found = 0
    for seed in range(100, 106):
        pair = Pair(seed)
        kinds: dict[str, list[str]] = {"new": [], "gone": [], "more": [], "values": []}
        for number in range(8):
            for kind, names in kinds.items():
                names.append(f"{kind} {number}")
            pair.add(f"new {number}", 0, 20)
            pair.add(f"gone {number}", 40, 0)
            pair.add(f"more {number}", 35, 105)
            pair.add(f"values {number}", 150, 150, (0.05, 0.30))
            pair.counted.patterns[f"gone {number}"].before = {"INFO": max(30, pair.poisson(40))}
            pair.counted.patterns[f"new {number}"].after = {"INFO": max(10, pair.poisson(15))}
        lists = pair.compared().lists
        for kind, names in kinds.items():
            planted += len(names)
            found += len(set(names) & {change.pattern_id for change in lists[kind]})
    assert found >= 0.9 * planted, (found, planted)


def test_an_error_comes_first_then_the_least_likely() -> None:
    pair = Pair(1)
    for name, after, level in (("a", 400, "INFO"), ("b", 4000, "INFO"), ("c", 300, "ERROR")):
        pair.counted.patterns[name] = PatternCounts(name, "web", {level: 40}, {level: after})
    assert [change.pattern_id for change in pair.compared().lists["more"]][:3] == ["c", "b", "a"]


def test_a_long_time_without_a_pattern_makes_few_logs_new() -> None:
    pair = Pair(2)
    known = Counted(pair.counted.patterns, 0)
    known.patterns["few"] = PatternCounts("few", "web", {}, {"ERROR": 3}, first_seen=AFTER[0] + 1)
    known.patterns["back"] = PatternCounts("back", "web", {}, {"ERROR": 3}, first_seen=HOUR)
    new = {change.pattern_id for change in compare(known, pair.shares, BEFORE, AFTER).lists["new"]}
    assert "few" in new
    assert "back" not in new


def test_probabilities() -> None:
    assert counts_p(0, 0, 0.5) == 1.0
    assert counts_p(0, 10, 0.5) == pytest.approx(2 * 0.5**10)
    assert counts_p(10, 0, 0.5) == pytest.approx(2 * 0.5**10)
    assert counts_p(5, 5, 0.5) == 1.0
    assert counts_p(100_000, 101_000, 0.5) == pytest.approx(2 * NormalDist().cdf(-1000 / 201_000**0.5), rel=0.01)
    assert share_p(5, 100, 5, 100) == 1.0
    assert share_p(5, 100, 30, 100) == pytest.approx(1.2e-6, rel=0.3)
    assert share_p(0, 0, 3, 9) == 1.0
    assert dispersed(1e-8, 1.0) == 1e-8
    assert dispersed(1e-8, 4.0) == pytest.approx(2 * NormalDist().cdf(NormalDist().inv_cdf(5e-9) / 2), rel=1e-3)
    assert dispersed(0.0, 4.0) < 1e-60


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    assert discoveries([0.01, 0.04, 0.02, 0.5], 0.05) == [0, 2]
    assert discoveries([0.013, 0.026, 0.04, 0.049], 0.05) == [0, 1, 2, 3]
    assert discoveries([0.9, 0.2], 0.05) == []
    assert discoveries([], 0.05) == []

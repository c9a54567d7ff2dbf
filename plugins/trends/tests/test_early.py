"""Alarms before the series are learned: from the first minute where something is wrong, hardly any where nothing is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from log_aggregator.sinks import Aggregate, Alias, Anomaly
from log_aggregator_trends import TrendsConfig
from log_aggregator_trends.early import EarlyAlarms
from log_aggregator_trends.monitor import Monitor
from plugins.trends.tests.factories import MINUTE, START, FakeService, Feed, aggregate, running_monitor

STARTS, DAY = 3, 1440
SOURCES = ("web", "auth", "payment", "mail")


class Quiet:
    """A day without trouble: usual patterns of all levels, some error patterns that come once in hours."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        rates = {"INFO": (40.0, 5), "WARN": (4.0, 3), "ERROR": (0.6, 3)}
        self.kinds = [
            (f"{level} {source} {number}", source, level, rate * self.rng.uniform(0.2, 2.0))
            for source in SOURCES
            for level, (rate, patterns) in rates.items()
            for number in range(patterns)
        ]
        self.rare = [(f"rare {source} {n}", source, "ERROR") for source in SOURCES for n in range(4)]
        self.severe = {self.rng.randrange(DAY): f"critical {n % 2}" for n in range(3)}

    def minute(self, number: int, minute: int) -> list[Aggregate]:
        found = []
        for pattern, source, level, rate in self.kinds:
            count = max(0, round(self.rng.gauss(rate, rate**0.5))) if rate > 5 else self._poisson(rate)
            if count:
                found.append(aggregate(pattern, count, minute, source=source, level=level))
        for pattern, source, level in self.rare:
            if self.rng.random() < 1 / 300:
                found.append(aggregate(pattern, 1, minute, source=source, level=level))
        if number in self.severe:
            found.append(aggregate(self.severe[number], 1, minute, source="payment", level="CRITICAL"))
        return found

    def _poisson(self, rate: float) -> int:
        count, left = 0, self.rng.expovariate(1.0)
        while left < rate:
            count, left = count + 1, left + self.rng.expovariate(1.0)
        return count


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    return FakeService(tmp_path)


async def one_minute(monitor: Monitor, feed: Feed, *aggregates: Aggregate) -> None:
    if aggregates:
        await monitor.add_flush(feed.flush(monitor.next_minute, *aggregates))
    await monitor.end_minute()


def opened(service: FakeService) -> list[Anomaly]:
    return [anomaly for anomaly in service.emitted if anomaly.revision == 1]


def test_a_quiet_start_has_at_most_one_alarm() -> None:
    for seed in range(STARTS):
        quiet, feed, alarms = Quiet(seed), Feed(), 0
        early = EarlyAlarms(TrendsConfig(), START)
        for number in range(DAY):
            flush = feed.flush(START + number, *quiet.minute(number, START + number))
            alarms += bool(early.add(flush, START + number, lambda _: False, lambda _: False))
        assert alarms <= 1, seed


async def test_a_quiet_day_in_the_whole_monitor(tmp_path: Path, service: FakeService) -> None:
    quiet, feed = Quiet(100), Feed()
    async with running_monitor(tmp_path / "t", service, TrendsConfig(learning_hours=6), START) as monitor:
        for number in range(DAY // 4 - 1):
            await one_minute(monitor, feed, *quiet.minute(number, monitor.next_minute))
        assert len(opened(service)) <= 1
        assert monitor.learning() is not None
        await monitor.end_minute()
        assert monitor.learning() is None


@pytest.mark.parametrize("level", ["CRITICAL", "FATAL"])
async def test_a_severe_log_of_the_first_minute_is_told_before_the_minute_ends(
    tmp_path: Path, service: FakeService, level: str
) -> None:
    feed = Feed()
    async with running_monitor(tmp_path / "t", service, TrendsConfig(), START) as monitor:
        await monitor.add_flush(feed.flush(START, aggregate("disk is gone", 1, START, level=level)))
        (anomaly,) = opened(service)
    assert (anomaly.kind, anomaly.tier, anomaly.level, anomaly.pattern) == ("severe", "notify", level, "disk is gone")


async def test_a_share_of_errors_is_one_incident_of_all_sources(tmp_path: Path, service: FakeService) -> None:
    feed = Feed()
    async with running_monitor(tmp_path / "t", service, TrendsConfig(), START) as monitor:
        for minute in range(2):
            logs = [aggregate("ok", 100, START + minute, source=s) for s in SOURCES]
            await one_minute(monitor, feed, *logs)
        assert opened(service) == []
        logs += [aggregate("timeout", 90, START + 2, source=s, level="ERROR") for s in ("payment", "web")]
        await one_minute(monitor, feed, *logs)
        (anomaly,) = {anomaly.id: anomaly for anomaly in service.emitted}.values()
    assert anomaly.kind == "error_share"
    members = {member["series"]: member for member in anomaly.details["series"]}
    assert members.keys() == {"errors:payment", "errors:web"}
    assert members["errors:web"]["share"] == pytest.approx(90 / 290, abs=0.001)


async def test_errors_are_compared_with_the_hour_before(tmp_path: Path, service: FakeService) -> None:
    """40 % of errors since the start is a source that logs so; 12 % is an alarm where 1 % is usual."""
    feed = Feed()
    async with running_monitor(tmp_path / "t", service, TrendsConfig(), START) as monitor:
        for minute in range(40):
            bad = 12 if minute >= 30 else 1
            logs = [aggregate("ok", 100 - bad, START + minute, source="web")]
            logs += [aggregate("no", bad, START + minute, source="web", level="ERROR")]
            await one_minute(monitor, feed, *logs)
            if minute == 29:
                assert opened(service) == []
        (anomaly,) = opened(service)
    assert anomaly.details["series"][0]["usual_share"] == pytest.approx(0.01, abs=0.01)


async def test_a_new_error_pattern_is_told_once_the_quarter_is_over(tmp_path: Path, service: FakeService) -> None:
    feed = Feed()
    async with running_monitor(tmp_path / "t", service, TrendsConfig(), START) as monitor:
        for minute in range(20):
            new = [aggregate(f"at the start {minute}", 1, START + minute, level="ERROR")] if minute < 15 else []
            await one_minute(monitor, feed, aggregate("ok", 100, START + minute), *new)
        assert opened(service) == []
        await one_minute(
            monitor, feed, aggregate("ok", 100, START + 20), aggregate("never seen", 1, START + 20, level="ERROR")
        )
        (anomaly,) = opened(service)
        assert (anomaly.kind, anomaly.pattern, anomaly.tier) == ("new_pattern", "never seen", "notify")
        for minute in range(30):
            await one_minute(
                monitor,
                feed,
                aggregate("ok", 100, START + 20),
                aggregate(f"single {minute}", 1, START + 20, level="ERROR"),
            )
        assert len(opened(service)) == 1
        await one_minute(monitor, feed, aggregate("another", 40, START + 20, level="ERROR", source="shop"))
        assert len(opened(service)) == 2


async def test_an_error_pattern_under_a_new_id_is_not_new(tmp_path: Path, service: FakeService) -> None:
    feed = Feed()
    async with running_monitor(tmp_path / "t", service, TrendsConfig(), START) as monitor:
        for minute in range(20):
            await one_minute(monitor, feed, aggregate("user anna failed", 2, START + minute, level="ERROR"))
        old = aggregate("user anna failed", 1, START).pattern_id
        flush = feed.flush(monitor.next_minute, aggregate("user {NAME} failed", 1, START + 20, level="ERROR"))
        renamed = type(flush)(
            *[getattr(flush, name) for name in flush.__struct_fields__[:7]], (Alias(old, "user {NAME} failed", 1),)
        )
        await monitor.add_flush(renamed)
    assert opened(service) == []


async def test_what_was_told_is_not_told_again_after_a_restart(tmp_path: Path, service: FakeService) -> None:
    feed = Feed()
    async with running_monitor(tmp_path / "t", service, TrendsConfig(resolve_minutes=2), START) as monitor:
        await one_minute(monitor, feed, aggregate("lost", 3, START, level="FATAL"))
        for _ in range(4):
            await one_minute(monitor, feed, aggregate("ok", 5, START))
    async with running_monitor(tmp_path / "t", service, TrendsConfig(), START + 20) as monitor:
        await one_minute(monitor, feed, aggregate("lost", 3, START, level="FATAL"))
        assert len(opened(service)) == 1
        await one_minute(monitor, feed, aggregate("lost", 600, START, level="FATAL"))
        assert len(opened(service)) == 2


async def test_quiet_patterns_and_sources_are_not_counted(tmp_path: Path, service: FakeService) -> None:
    feed, config = Feed(), TrendsConfig(quiet_patterns=["known *"], quiet_sources=["staging-*"])
    async with running_monitor(tmp_path / "t", service, config, START) as monitor:
        await one_minute(monitor, feed, aggregate("known trouble", 50, START, level="FATAL"))
        await one_minute(monitor, feed, aggregate("trouble", 50, START, level="FATAL", source="staging-1"))
    assert service.emitted == []


def test_a_flush_from_before_an_outage_raises_nothing() -> None:
    early, feed = EarlyAlarms(TrendsConfig(), START), Feed()
    late = feed.flush(START, aggregate("lost", 3, START, level="FATAL"))
    assert late.sealed < START * MINUTE + MINUTE
    assert early.add(late, START + 300, lambda _: False, lambda _: False) == []


def test_logs_of_the_past_raise_nothing_and_make_their_patterns_known() -> None:
    """A file is read from its beginning: what was critical last night is no alarm of this minute."""
    early, feed, hour = EarlyAlarms(TrendsConfig(), START), Feed(), 60
    old = [aggregate("disk is gone", 40, START - 2 * hour, level="FATAL")]
    old.append(aggregate("cannot pay", 90, START - 2 * hour, level="ERROR"))
    assert early.add(feed.flush(START, *old), START, lambda _: False, lambda _: False) == []
    again = feed.flush(START + 20, aggregate("cannot pay", 1, START + 20, level="ERROR"))
    assert early.add(again, START + 20, lambda _: False, lambda _: False) == []
    late = feed.flush(START + 21, aggregate("disk is gone", 1, START - hour // 2, level="FATAL"))
    ((finding, _),) = early.add(late, START + 21, lambda _: False, lambda _: False)
    assert finding.kind == "severe"

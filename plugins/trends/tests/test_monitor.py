"""From flushes to incidents: one per cause, notified once, resolved at the end, and continued after a restart."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from log_aggregator import pattern_id
from log_aggregator.sinks import Alias
from log_aggregator_trends import TrendsConfig
from log_aggregator_trends.monitor import Monitor
from log_aggregator_trends.series import Series, SeriesKey
from log_aggregator_trends.state_thread import StateThread
from plugins.trends.tests.factories import START, FakeService, Feed, aggregate, running_monitor, trained
from plugins.trends.tests.webhook_server import DEADLINE, WebhookServer, run_webhook_server

PATTERNS = ("order {ID} paid", "cart of {ID} emptied")


def shop(rng: random.Random, *, mean: float = 6.0) -> list[Series]:
    return [trained(SeriesKey("pattern", pattern_id(text)), START, rng, mean=mean) for text in PATTERNS] + [
        trained(SeriesKey("source", "shop"), START, rng, mean=2 * mean)
    ]


async def minutes(monitor: Monitor, feed: Feed, count: int, logs: int, **options: object) -> None:
    """End `count` minutes with `logs` logs of each pattern."""
    for _ in range(count):
        minute = monitor.next_minute
        entries = [aggregate(text, logs, minute, **options) for text in PATTERNS if logs]  # type: ignore[arg-type]
        if entries:
            await monitor.add_flush(feed.flush(minute, *entries))
        await monitor.end_minute()


def config(server: WebhookServer | None = None, **options: object) -> TrendsConfig:
    targets = [{"url": f"{server.url}/hook"}] if server else []
    return TrendsConfig.model_validate({"targets": targets, "first_pause": 0.05, "resolve_minutes": 5, **options})


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    return FakeService(tmp_path)


async def until(condition: object) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_spike_of_two_patterns_is_one_incident_with_explanations(
    tmp_path: Path, service: FakeService, rng: random.Random
) -> None:
    feed = Feed()
    async with (
        run_webhook_server() as server,
        running_monitor(tmp_path / "t", service, config(server), START, *shop(rng)) as monitor,
    ):
        await minutes(monitor, feed, 20, 6, metadata=[{"region": "us"}] * 5 + [{"region": "eu"}])
        assert service.emitted == []
        await minutes(monitor, feed, 2, 90, metadata=[{"region": "eu"}] * 90)
        assert {anomaly.id for anomaly in service.emitted} == {service.emitted[0].id}
        sent = await server.wait_for(1)
        await minutes(monitor, feed, 90, 6)
        sent = await server.wait_for(2)
    assert [body["event"] for body in sent] == ["open", "resolved"]
    anomaly = sent[0]["anomaly"]
    assert (anomaly["kind"], anomaly["source"], anomaly["tier"], anomaly["state"]) == (
        "spike",
        "shop",
        "notify",
        "open",
    )
    members = anomaly["details"]["series"]
    assert {member.get("pattern") for member in members} == {*PATTERNS, None}
    first = next(member for member in members if member.get("pattern") == PATTERNS[0])
    assert first["seen"] >= 90 > first["expected_range"][1] > first["expected"]
    assert first["samples"] == [f"{PATTERNS[0]} as it was written"]
    assert first["over_represented"][0]["key"] == "region"
    assert first["over_represented"][0]["value"] == "eu"
    assert "region = eu" in sent[0]["text"]
    last = service.emitted[-1]
    assert (last.state, last.details["resolution"]) == ("resolved", "back to normal")
    assert [anomaly.revision for anomaly in service.emitted] == sorted({a.revision for a in service.emitted})


async def test_silence_is_detected_without_any_flush(tmp_path: Path, service: FakeService, rng: random.Random) -> None:
    async with running_monitor(tmp_path / "t", service, config(), START, *shop(rng)) as monitor:
        await minutes(monitor, Feed(), 12, 0)
    assert [anomaly.kind for anomaly in service.emitted][-1] == "silence"
    assert len({anomaly.id for anomaly in service.emitted}) == 1


async def test_restart_during_an_incident_repeats_nothing(
    tmp_path: Path, service: FakeService, rng: random.Random
) -> None:
    feed = Feed()
    async with run_webhook_server() as server:
        async with running_monitor(tmp_path / "t", service, config(server), START, *shop(rng)) as monitor:
            await minutes(monitor, feed, 2, 90)
            await server.wait_for(1)
            await until(lambda: next(iter(monitor.incidents.open.values())).notified)
            await monitor.add_flush(feed.flush(monitor.next_minute, anomalies=tuple(service.emitted)))
            now = monitor.next_minute
        again = FakeService(tmp_path)
        async with running_monitor(tmp_path / "t", again, config(server), now + 3) as monitor:
            assert again.emitted == []
            await minutes(monitor, feed, 2, 90)
            assert {anomaly.id for anomaly in again.emitted} <= {service.emitted[0].id}
            await minutes(monitor, feed, 90, 6)
            sent = await server.wait_for(2)
        assert [body["event"] for body in sent] == ["open", "resolved"]
        assert again.emitted[-1].id == service.emitted[0].id
        assert again.emitted[-1].revision > service.emitted[-1].revision


async def test_anomaly_that_no_flush_carried_is_emitted_again(
    tmp_path: Path, service: FakeService, rng: random.Random
) -> None:
    feed = Feed()
    async with running_monitor(tmp_path / "t", service, config(), START, *shop(rng)) as monitor:
        await minutes(monitor, feed, 1, 90)
        now = monitor.next_minute
    again = FakeService(tmp_path)
    async with running_monitor(tmp_path / "t", again, config(), now) as monitor:
        await minutes(monitor, feed, 1, 6)
        assert [(a.id, a.revision) for a in again.emitted] == [(service.emitted[-1].id, service.emitted[-1].revision)]


async def test_flush_delivered_again_is_counted_once(tmp_path: Path, service: FakeService, rng: random.Random) -> None:
    flush = Feed().flush(START, aggregate(PATTERNS[0], 6, START))
    async with running_monitor(tmp_path / "t", service, config(), START, *shop(rng)) as monitor:
        for _ in range(20):
            await monitor.add_flush(flush)
        await monitor.end_minute()
    again = FakeService(tmp_path)
    async with running_monitor(tmp_path / "t", again, config(), START + 1) as monitor:
        await monitor.add_flush(flush)
        assert monitor.tracker.counts.late == 0
    assert service.emitted == []


async def test_flushes_of_several_workers_delivered_again_are_counted_once(
    tmp_path: Path, service: FakeService
) -> None:
    key = SeriesKey("source", "shop")
    feeds = {name: Feed(name) for name in ("first worker", "second worker")}
    async with running_monitor(tmp_path / "t", service, config(), START) as monitor:
        flushes = [feed.flush(START, aggregate(PATTERNS[0], 6, START)) for feed in feeds.values()]
        for flush in [*flushes, *flushes]:
            await monitor.add_flush(flush)
        assert monitor.tracker.counts.close(START)[key] == 12
    async with running_monitor(tmp_path / "t", service, config(), START + 1) as monitor:
        for flush in flushes:
            await monitor.add_flush(flush)
        assert monitor.tracker.counts.late == 0
        for number in range(1000):
            await monitor.add_flush(Feed(f"worker {number}").flush(START + 1, aggregate(PATTERNS[0], 1, START + 1)))
        assert monitor.tracker.counts.close(START + 1)[key] == 1000
    state = await StateThread.open(tmp_path / "t")
    positions = await state.run(lambda file: file.positions())
    await state.close()
    assert list(positions) == [f"worker {number}" for number in range(1000)]


async def test_anomaly_of_a_flush_that_waited_for_the_plugin_is_not_emitted_again(
    tmp_path: Path, service: FakeService, rng: random.Random
) -> None:
    feed = Feed()
    async with running_monitor(tmp_path / "t", service, config(), START, *shop(rng)) as monitor:
        await minutes(monitor, feed, 1, 90)
        now = monitor.next_minute
    again = FakeService(tmp_path)
    async with running_monitor(tmp_path / "t", again, config(), now) as monitor:
        await monitor.add_flush(feed.flush(now - 1, anomalies=tuple(service.emitted)))
        await minutes(monitor, feed, 1, 6)
    assert again.emitted == []


async def test_new_pattern_alerts_only_after_learning(tmp_path: Path, service: FakeService) -> None:
    feed = Feed()
    async with (
        run_webhook_server() as server,
        running_monitor(tmp_path / "t", service, config(server, learning_hours=0.1), START) as monitor,
    ):
        await minutes(monitor, feed, 7, 3)
        assert service.emitted == []
        minute = monitor.next_minute
        await monitor.add_flush(feed.flush(minute, aggregate("disk {ID} is gone", 1, minute, level="ERROR")))
        await monitor.end_minute()
        assert [(a.kind, a.tier, a.pattern) for a in service.emitted] == [
            ("new_pattern", "notify", "disk {ID} is gone")
        ]
        await server.wait_for(1)
        await minutes(monitor, feed, 10, 3)
        assert service.emitted[-1].state == "resolved"
    assert len(server.bodies) == 1


async def test_inactive_series_are_evicted_to_disk_and_not_new_again(tmp_path: Path, service: FakeService) -> None:
    feed = Feed()
    options = config(learning_hours=0, max_series=10, sleep_hours=1)
    async with running_monitor(tmp_path / "t", service, options, START) as monitor:
        names = [f"pattern {letter}" for letter in "abcdefghijklmnopqrst"]
        for name in names:
            minute = monitor.next_minute
            await monitor.add_flush(feed.flush(minute, aggregate(name, 1, minute)))
            await monitor.end_minute()
        assert len(monitor.tracker.series) <= 10 + 1
        # Series of the open incident stay in memory, so later ones were evicted.
        gone = next(n for n in names if SeriesKey("pattern", pattern_id(n)) not in monitor.tracker.series)
        await minutes(monitor, feed, 6, 0)
        assert service.emitted[-1].state == "resolved"
        sent = len(service.emitted)
        minute = monitor.next_minute
        await monitor.add_flush(feed.flush(minute, aggregate(gone, 1, minute)))
        await monitor.end_minute()
        assert SeriesKey("pattern", pattern_id(gone)) in monitor.tracker.series
        assert [a.kind for a in service.emitted[sent:]] == []


async def test_quiet_patterns_and_sources(tmp_path: Path, service: FakeService, rng: random.Random) -> None:
    series = shop(rng)
    for one, text in zip(series, PATTERNS, strict=False):
        one.pattern, one.source = text, "shop"
    options = config(quiet_patterns=["order *", pattern_id(PATTERNS[1])])
    async with running_monitor(tmp_path / "t", service, options, START, *series[:2]) as monitor:
        await minutes(monitor, Feed(), 3, 90)
    assert service.emitted == []


async def test_generalised_pattern_is_not_silent(tmp_path: Path, service: FakeService, rng: random.Random) -> None:
    feed = Feed()
    key = SeriesKey("pattern", pattern_id(PATTERNS[0]))
    async with running_monitor(tmp_path / "t", service, config(), START, trained(key, START, rng)) as monitor:
        alias = Alias(key.name, "order {VAR} paid", 1)
        flush = feed.flush(START, aggregate("order {VAR} paid", 6, START))
        await monitor.add_flush(
            type(flush)(**{**{n: getattr(flush, n) for n in flush.__struct_fields__}, "aliases": (alias,)})
        )
        assert [known.name for known in monitor.tracker.series] == [alias.new_id]
        await monitor.end_minute()
        for _ in range(10):
            await monitor.add_flush(
                feed.flush(monitor.next_minute, aggregate("order {VAR} paid", 6, monitor.next_minute))
            )
            await monitor.end_minute()
    assert service.emitted == []


async def test_more_errors_with_more_traffic_are_no_error_rate(
    tmp_path: Path, service: FakeService, rng: random.Random
) -> None:
    feed = Feed()
    series = [
        trained(SeriesKey("source", "shop"), START, rng),
        trained(SeriesKey("errors", "shop"), START, rng, mean=3),
    ]
    async with running_monitor(tmp_path / "t", service, config(learning_hours=99), START, *series) as monitor:
        for _ in range(3):
            minute = monitor.next_minute
            entries = (aggregate("a", 60, minute), aggregate("b", 40, minute, level="ERROR"))
            await monitor.add_flush(feed.flush(minute, *entries))
            await monitor.end_minute()
        kinds = {member["kind"] for a in service.emitted for member in a.details["series"]}
    assert "error_rate" not in kinds
    assert "spike" in kinds


async def test_corrupt_file_is_moved_away(tmp_path: Path, service: FakeService) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"this is no database" * 100)
    async with running_monitor(path, service, config(), START) as monitor:
        await minutes(monitor, Feed(), 1, 1)
        assert monitor.file_error is None
    assert list(tmp_path.glob("t.broken-*"))

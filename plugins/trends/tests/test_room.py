"""From flushes to incidents: one for each cause, told once, over at the end, and the same after a restart."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from log_aggregator import pattern_id
from log_aggregator.sinks import Alias
from log_aggregator_trends import TrendsConfig
from log_aggregator_trends.keeper import Keeper
from log_aggregator_trends.room import Room
from log_aggregator_trends.series import Series, SeriesKey
from plugins.trends.tests.made import START, FakeService, Feed, aggregate, running_room, trained
from plugins.trends.tests.receiver import DEADLINE, Receiver, receiving

PATTERNS = ("order {ID} paid", "cart of {ID} emptied")


def shop(rng: random.Random, *, mean: float = 6.0) -> list[Series]:
    return [trained(SeriesKey("pattern", pattern_id(text)), START, rng, mean=mean) for text in PATTERNS] + [
        trained(SeriesKey("source", "shop"), START, rng, mean=2 * mean)
    ]


async def minutes(room: Room, feed: Feed, count: int, logs: int, **options: object) -> None:
    """`count` minutes with `logs` logs of each pattern."""
    for _ in range(count):
        minute = room.next_minute
        entries = [aggregate(text, logs, minute, **options) for text in PATTERNS if logs]  # type: ignore[arg-type]
        if entries:
            await room.take(feed.flush(minute, *entries))
        await room.end_minute()


def config(receiver: Receiver | None = None, **options: object) -> TrendsConfig:
    targets = [{"url": f"{receiver.url}/hook"}] if receiver else []
    return TrendsConfig.model_validate({"targets": targets, "first_pause": 0.05, "resolve_minutes": 5, **options})


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    return FakeService(tmp_path)


async def until(condition: object) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_spike_of_two_patterns_is_one_incident_with_its_why(
    tmp_path: Path, service: FakeService, rng: random.Random
) -> None:
    feed = Feed()
    async with (
        receiving() as receiver,
        running_room(tmp_path / "t", service, config(receiver), START, *shop(rng)) as room,
    ):
        await minutes(room, feed, 20, 6, metadata=[{"region": "us"}] * 5 + [{"region": "eu"}])
        assert service.emitted == []
        await minutes(room, feed, 2, 90, metadata=[{"region": "eu"}] * 90)
        assert {anomaly.id for anomaly in service.emitted} == {service.emitted[0].id}
        told = await receiver.wait_for(1)
        await minutes(room, feed, 90, 6)
        told = await receiver.wait_for(2)
    assert [body["event"] for body in told] == ["open", "resolved"]
    anomaly = told[0]["anomaly"]
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
    assert "region = eu" in told[0]["text"]
    last = service.emitted[-1]
    assert (last.state, last.details["resolution"]) == ("resolved", "back to normal")
    assert [anomaly.revision for anomaly in service.emitted] == sorted({a.revision for a in service.emitted})


async def test_silence_is_noticed_without_any_flush(tmp_path: Path, service: FakeService, rng: random.Random) -> None:
    async with running_room(tmp_path / "t", service, config(), START, *shop(rng)) as room:
        await minutes(room, Feed(), 12, 0)
    assert [anomaly.kind for anomaly in service.emitted][-1] == "silence"
    assert len({anomaly.id for anomaly in service.emitted}) == 1


async def test_restart_in_the_middle_tells_nothing_twice(
    tmp_path: Path, service: FakeService, rng: random.Random
) -> None:
    feed = Feed()
    async with receiving() as receiver:
        async with running_room(tmp_path / "t", service, config(receiver), START, *shop(rng)) as room:
            await minutes(room, feed, 2, 90)
            await receiver.wait_for(1)
            await until(lambda: next(iter(room.incidents.open.values())).told)
            await room.take(feed.flush(room.next_minute, anomalies=tuple(service.emitted)))
            now = room.next_minute
        again = FakeService(tmp_path)
        async with running_room(tmp_path / "t", again, config(receiver), now + 3) as room:
            assert again.emitted == []
            await minutes(room, feed, 2, 90)
            assert {anomaly.id for anomaly in again.emitted} <= {service.emitted[0].id}
            await minutes(room, feed, 90, 6)
            told = await receiver.wait_for(2)
        assert [body["event"] for body in told] == ["open", "resolved"]
        assert again.emitted[-1].id == service.emitted[0].id
        assert again.emitted[-1].revision > service.emitted[-1].revision


async def test_anomaly_that_no_flush_carried_is_emitted_again(
    tmp_path: Path, service: FakeService, rng: random.Random
) -> None:
    feed = Feed()
    async with running_room(tmp_path / "t", service, config(), START, *shop(rng)) as room:
        await minutes(room, feed, 1, 90)
        now = room.next_minute
    again = FakeService(tmp_path)
    async with running_room(tmp_path / "t", again, config(), now) as room:
        await minutes(room, feed, 1, 6)
        assert [(a.id, a.revision) for a in again.emitted] == [(service.emitted[-1].id, service.emitted[-1].revision)]


async def test_flush_delivered_again_is_counted_once(tmp_path: Path, service: FakeService, rng: random.Random) -> None:
    flush = Feed().flush(START, aggregate(PATTERNS[0], 6, START))
    async with running_room(tmp_path / "t", service, config(), START, *shop(rng)) as room:
        for _ in range(20):
            await room.take(flush)
        await room.end_minute()
    again = FakeService(tmp_path)
    async with running_room(tmp_path / "t", again, config(), START + 1) as room:
        await room.take(flush)
        assert room.watch.counts.late == 0
    assert service.emitted == []


async def test_flushes_of_several_workers_delivered_again_are_counted_once(
    tmp_path: Path, service: FakeService
) -> None:
    key = SeriesKey("source", "shop")
    feeds = {name: Feed(name) for name in ("first worker", "second worker")}
    async with running_room(tmp_path / "t", service, config(), START) as room:
        flushes = [feed.flush(START, aggregate(PATTERNS[0], 6, START)) for feed in feeds.values()]
        for flush in [*flushes, *flushes]:
            await room.take(flush)
        assert room.watch.counts.take(START)[key] == 12
    async with running_room(tmp_path / "t", service, config(), START + 1) as room:
        for flush in flushes:
            await room.take(flush)
        assert room.watch.counts.late == 0
        for number in range(1000):
            await room.take(Feed(f"worker {number}").flush(START + 1, aggregate(PATTERNS[0], 1, START + 1)))
        assert room.watch.counts.take(START + 1)[key] == 1000
    keeper = await Keeper.open(tmp_path / "t")
    positions = await keeper.ask(lambda saved: saved.positions())
    await keeper.close()
    assert list(positions) == [f"worker {number}" for number in range(1000)]


async def test_anomaly_of_a_flush_that_waited_for_the_plugin_is_not_emitted_again(
    tmp_path: Path, service: FakeService, rng: random.Random
) -> None:
    feed = Feed()
    async with running_room(tmp_path / "t", service, config(), START, *shop(rng)) as room:
        await minutes(room, feed, 1, 90)
        now = room.next_minute
    again = FakeService(tmp_path)
    async with running_room(tmp_path / "t", again, config(), now) as room:
        await room.take(feed.flush(now - 1, anomalies=tuple(service.emitted)))
        await minutes(room, feed, 1, 6)
    assert again.emitted == []


async def test_new_pattern_only_after_learning(tmp_path: Path, service: FakeService) -> None:
    feed = Feed()
    async with (
        receiving() as receiver,
        running_room(tmp_path / "t", service, config(receiver, learning_hours=0.1), START) as room,
    ):
        await minutes(room, feed, 7, 3)
        assert service.emitted == []
        minute = room.next_minute
        await room.take(feed.flush(minute, aggregate("disk {ID} is gone", 1, minute, level="ERROR")))
        await room.end_minute()
        assert [(a.kind, a.tier, a.pattern) for a in service.emitted] == [
            ("new_pattern", "notify", "disk {ID} is gone")
        ]
        await receiver.wait_for(1)
        await minutes(room, feed, 10, 3)
        assert service.emitted[-1].state == "resolved"
    assert len(receiver.bodies) == 1


async def test_series_that_sleep_are_put_away_and_not_new_again(tmp_path: Path, service: FakeService) -> None:
    feed = Feed()
    options = config(learning_hours=0, max_series=10, sleep_hours=1)
    async with running_room(tmp_path / "t", service, options, START) as room:
        names = [f"pattern {letter}" for letter in "abcdefghijklmnopqrst"]
        for name in names:
            minute = room.next_minute
            await room.take(feed.flush(minute, aggregate(name, 1, minute)))
            await room.end_minute()
        assert len(room.watch.series) <= 10 + 1
        # Those of the open incident stay awake, so later ones had to go.
        gone = next(n for n in names if SeriesKey("pattern", pattern_id(n)) not in room.watch.series)
        await minutes(room, feed, 6, 0)
        assert service.emitted[-1].state == "resolved"
        told = len(service.emitted)
        minute = room.next_minute
        await room.take(feed.flush(minute, aggregate(gone, 1, minute)))
        await room.end_minute()
        assert SeriesKey("pattern", pattern_id(gone)) in room.watch.series
        assert [a.kind for a in service.emitted[told:]] == []


async def test_quiet_patterns_and_sources(tmp_path: Path, service: FakeService, rng: random.Random) -> None:
    series = shop(rng)
    for one, text in zip(series, PATTERNS, strict=False):
        one.pattern, one.source = text, "shop"
    options = config(quiet_patterns=["order *", pattern_id(PATTERNS[1])])
    async with running_room(tmp_path / "t", service, options, START, *series[:2]) as room:
        await minutes(room, Feed(), 3, 90)
    assert service.emitted == []


async def test_generalised_pattern_is_not_silent(tmp_path: Path, service: FakeService, rng: random.Random) -> None:
    feed = Feed()
    key = SeriesKey("pattern", pattern_id(PATTERNS[0]))
    async with running_room(tmp_path / "t", service, config(), START, trained(key, START, rng)) as room:
        alias = Alias(key.name, "order {VAR} paid", 1)
        flush = feed.flush(START, aggregate("order {VAR} paid", 6, START))
        await room.take(type(flush)(**{**{n: getattr(flush, n) for n in flush.__struct_fields__}, "aliases": (alias,)}))
        assert [known.name for known in room.watch.series] == [alias.new_id]
        await room.end_minute()
        for _ in range(10):
            await room.take(feed.flush(room.next_minute, aggregate("order {VAR} paid", 6, room.next_minute)))
            await room.end_minute()
    assert service.emitted == []


async def test_more_errors_with_more_traffic_are_no_error_rate(
    tmp_path: Path, service: FakeService, rng: random.Random
) -> None:
    feed = Feed()
    series = [
        trained(SeriesKey("source", "shop"), START, rng),
        trained(SeriesKey("errors", "shop"), START, rng, mean=3),
    ]
    async with running_room(tmp_path / "t", service, config(learning_hours=99), START, *series) as room:
        for _ in range(3):
            minute = room.next_minute
            entries = (aggregate("a", 60, minute), aggregate("b", 40, minute, level="ERROR"))
            await room.take(feed.flush(minute, *entries))
            await room.end_minute()
        kinds = {member["kind"] for a in service.emitted for member in a.details["series"]}
    assert "error_rate" not in kinds
    assert "spike" in kinds


async def test_broken_file_is_set_aside(tmp_path: Path, service: FakeService) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"this is no database" * 100)
    async with running_room(path, service, config(), START) as room:
        await minutes(room, Feed(), 1, 1)
        assert room.trouble is None
    assert list(tmp_path.glob("t.broken-*"))

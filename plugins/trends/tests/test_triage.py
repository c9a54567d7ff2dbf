"""What people said of patterns, on a real store: muted ones do not alert until they are many, resolved ones return."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator import RetryableError
from log_aggregator.oncall import OnCallStore, TriageChange
from log_aggregator_sqlite import SqliteConfig, SqliteSink
from log_aggregator_trends import TrendsConfig
from log_aggregator_trends.monitor import Monitor
from log_aggregator_trends.notifier import Notifier
from log_aggregator_trends.triage import TriageWatch
from plugins.trends.tests.factories import MINUTE, START, FakeService, Feed, aggregate, running_monitor
from plugins.trends.tests.webhook_server import run_webhook_server
from tests.support.sinks import hosted

TEXT = "disk {N} is full"
ID = aggregate(TEXT, 1, 0).pattern_id


class Clock:
    """The time of the monitor's minute."""

    def __init__(self) -> None:
        self.minute = START

    def __call__(self) -> float:
        return self.minute * 60.0 + 30


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[OnCallStore]:
    sink = SqliteSink(SqliteConfig.model_validate({"rollup_days": 0}))
    async with hosted(sink, tmp_path) as host:
        assert isinstance(host.store, OnCallStore)
        yield host.store


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    return FakeService(tmp_path)


async def say(store: OnCallStore, minute: int, **fields: Any) -> None:
    await store.change_triage(ID, TriageChange(at=minute * MINUTE, by="anna", fields=fields))


async def minutes(monitor: Monitor, clock: Clock, feed: Feed, count: int, logs: int, level: str = "FATAL") -> None:
    for _ in range(count):
        clock.minute = monitor.next_minute
        if logs:
            await monitor.add_flush(feed.flush(clock.minute, aggregate(TEXT, logs, clock.minute, level=level)))
        await monitor.end_minute()


async def test_a_muted_pattern_does_not_alert_until_its_time_is_over(
    tmp_path: Path, service: FakeService, store: OnCallStore
) -> None:
    clock, feed = Clock(), Feed()
    async with running_monitor(tmp_path / "t", service, TrendsConfig(), START) as monitor:
        monitor.triage = TriageWatch(lambda: store, clock)
        await say(store, START, state="muted", muted_until=(START + 5) * MINUTE)
        await minutes(monitor, clock, feed, 1, 0)
        await minutes(monitor, clock, feed, 4, 100)
        assert service.emitted == []
        await minutes(monitor, clock, feed, 2, 100)
        assert [anomaly.kind for anomaly in service.emitted][:1] == ["severe"]


async def test_a_muted_pattern_that_comes_three_times_as_often_is_open_again(
    tmp_path: Path, service: FakeService, store: OnCallStore
) -> None:
    clock, feed = Clock(), Feed()
    async with running_monitor(tmp_path / "t", service, TrendsConfig(), START) as monitor:
        monitor.triage = TriageWatch(lambda: store, clock)
        await say(store, START, state="muted", mute_times=3.0, mute_rate=60.0)
        await minutes(monitor, clock, feed, 80, 2, "WARN")
        assert service.emitted == []
        await minutes(monitor, clock, feed, 10, 12, "WARN")
        (anomaly,) = service.emitted
    assert (anomaly.kind, anomaly.tier, anomaly.pattern_id) == ("escalated", "notify", ID)
    assert anomaly.details["series"][0]["usual_an_hour"] == 60.0
    triage = (await store.triage())[ID]
    assert (triage.state, triage.mute_times, triage.changed_by) == ("open", None, "trends")


async def test_the_return_of_a_resolved_pattern_is_told_once(
    tmp_path: Path, service: FakeService, store: OnCallStore
) -> None:
    clock, feed = Clock(), Feed()
    async with run_webhook_server() as server:
        config = TrendsConfig.model_validate(
            {"targets": [{"url": server.url}], "public_url": "https://logs.example.org/x/"}
        )
        async with running_monitor(tmp_path / "t", service, config, START) as monitor:
            monitor.triage = TriageWatch(lambda: store, clock)
            await say(store, START + 1, state="resolved", resolved_at=(START + 1) * MINUTE)
            await minutes(monitor, clock, feed, 3, 0)
            late = aggregate(TEXT, 1, START)
            await monitor.add_flush(feed.flush(clock.minute, late))
            assert service.emitted == []
            await minutes(monitor, clock, feed, 3, 1, level="INFO")
            (anomaly,) = service.emitted
            (body,) = await server.wait_for(1)
        assert (anomaly.kind, anomaly.details["series"][0]["resolved_by"]) == ("returned", "anna")
        assert body["title"] == f"Came back: shop: {TEXT}"
        assert body["link"] == f"https://logs.example.org/x/#/anomalies/{anomaly.id}"
        assert (await store.triage())[ID].at(0).state == "returned"
        async with running_monitor(tmp_path / "t2", service, config, START + 20) as monitor:
            monitor.triage = TriageWatch(lambda: store, clock)
            await minutes(monitor, clock, feed, 3, 1, level="INFO")
    assert len(service.emitted) == 1


async def test_a_store_out_of_reach_changes_nothing(
    tmp_path: Path, service: FakeService, store: OnCallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, triage = 0, store.triage

    async def once(pattern_id: str | None = None) -> Any:
        """Answer once, and be out of reach afterwards."""
        nonlocal asked
        asked += 1
        if asked > 1:
            raise RetryableError("away")
        return await triage(pattern_id)

    clock, feed = Clock(), Feed()
    async with running_monitor(tmp_path / "t", service, TrendsConfig(), START) as monitor:
        monitor.triage = TriageWatch(lambda: store, clock)
        await say(store, START, state="muted")
        monkeypatch.setattr(store, "triage", once)
        await minutes(monitor, clock, feed, 1, 0)
        await minutes(monitor, clock, feed, 3, 100)
        assert (asked, service.emitted) == (4, [])


async def test_targets_are_tested() -> None:
    async with run_webhook_server() as server:
        targets = [{"url": server.url}, {"url": "http://127.0.0.1:1/x", "kind": "slack"}]
        notifier = Notifier(TrendsConfig.model_validate({"targets": targets}), None)  # type: ignore[arg-type]
        good, bad = await notifier.test()
        (body,) = await server.wait_for(1)
    assert (good["ok"], good["error"], good["kind"]) == (True, "", "webhook")
    assert (bad["ok"], bad["error"]) == (False, "ClientConnectorError")
    assert body["title"] == "Test: log-aggregator: This is a test"

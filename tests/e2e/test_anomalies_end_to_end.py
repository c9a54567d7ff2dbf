"""A spike in logs posted over HTTP is heard of once everywhere: over HTTP, in PostgreSQL, at analytics, by a person."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from log_aggregator import RetryableError, pattern_id
from log_aggregator.sinks import Flush
from log_aggregator_trends.series import SeriesKey
from plugins.analytics.tests import analytics_server as analytics
from plugins.trends.tests import webhook_server as webhook
from tests.e2e.driven_service import DEADLINE, Clock, Place, Running, running
from tests.support.postgres import postgres_dsn, postgres_server

__all__ = ["postgres_dsn", "postgres_server"]

PATTERN = "payment {ID} refused"
USUAL, SPIKE = 6, 90


def message(number: int) -> str:
    return f"payment {4000 + number} refused"


@pytest.fixture
async def place(tmp_path: Path, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    """A shop of six refused payments a minute that trends has known for three days."""
    async with analytics.run_analytics_server() as forwarded, webhook.run_webhook_server() as told:
        place = Place(tmp_path / "data", Clock(monkeypatch), postgres_dsn, forwarded, told)
        place.learned([SeriesKey("pattern", pattern_id(PATTERN)), SeriesKey("source", "shop")], random.Random(6))
        yield place


async def everywhere(flow: Running, states: list[str], told: list[str]) -> str:
    """Assert that all four know the same incident in the same state, and nobody anything twice; the incident's id."""
    await flow.flush()
    await flow.delivered()
    place = flow.place
    shown, rows = await flow.anomalies(), await place.table()
    assert [(row["kind"], row["state"], row["tier"], row["pattern"]) for row in shown] == [
        ("spike", state, "notify", PATTERN) for state in states
    ]
    same = ("id", "kind", "state", "tier", "pattern_id", "source", "score", "revision", "details")
    assert [{name: row[name] for name in same} for row in shown] == [
        {name: readable(row[name]) for name in same} for row in rows
    ]
    identities = {row["id"] for row in rows}
    assert len(identities) == len(states)
    forwarded = place.forwarded()
    revisions = [anomaly["revision"] for anomaly in forwarded]
    assert {anomaly["id"] for anomaly in forwarded} == identities
    assert revisions == sorted(set(revisions)), "the analytics service was sent a revision twice or out of order"
    assert [forwarded[-1][name] for name in ("state", "revision")] == [rows[-1][name] for name in ("state", "revision")]
    assert place.told() == [(event, rows[-1]["id"]) for event in told]
    assert place.analytics.logs == sum(place.points.values())
    return str(rows[-1]["id"])


def readable(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, str) and value.startswith("{") else value


async def until_resolved(flow: Running) -> None:
    for _ in range(60):
        if not flow.room.incidents.open:
            return
        await flow.minute(message, USUAL)
    raise AssertionError("the incident did not end")


async def usual(flow: Running, minutes: int) -> None:
    for _ in range(minutes):
        await flow.minute(message, USUAL)


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
async def test_spike_is_heard_of_once_everywhere_over_a_restart(place: Place, killed: bool) -> None:
    async with running(place) as flow:
        await usual(flow, 3)
        await flow.flush()
        assert (await flow.anomalies(), await place.table(), place.forwarded(), place.told()) == ([], [], [], [])
        await flow.minute(message, SPIKE)
        first = await everywhere(flow, ["open"], ["open"])
        if killed:
            flow.kill()
    async with running(place) as flow:
        await flow.minute(message, SPIKE)
        assert await everywhere(flow, ["open"], ["open"]) == first
        await until_resolved(flow)
        assert await everywhere(flow, ["resolved"], ["open", "resolved"]) == first
        if killed:
            flow.kill()
    async with running(place) as flow:
        await usual(flow, 3)
        assert await everywhere(flow, ["resolved"], ["open", "resolved"]) == first
        await assert_timeline(flow)
    webhook_body, (row,) = place.webhook.bodies[-1], await place.table()
    assert webhook_body["anomaly"]["resolved"] == round(row["resolved"].timestamp() * 1e6)


async def assert_timeline(flow: Running) -> None:
    """`GET /patterns/{id}/timeline` has every minute's logs, as PostgreSQL has them."""
    answer = await flow.request("GET", f"/patterns/{pattern_id(PATTERN)}/timeline?step=60")
    (series,) = answer["series"]
    points = {datetime.fromisoformat(point["start"]).timestamp(): point["count"] for point in series["points"]}
    assert {start: count for start, count in points.items() if count} == {
        minute * 60.0: count for minute, count in flow.place.points.items()
    }
    assert series["total"] == sum(flow.place.points.values())
    split = await flow.request("GET", f"/patterns/{pattern_id(PATTERN)}/timeline?step=3600&split_by=level")
    assert [(one["name"], one["total"]) for one in split["series"]] == [("WARN", series["total"])]


async def test_killed_before_anybody_was_told(place: Place) -> None:
    """The incident is known to trends alone: no flush has carried it, and the webhook is out of order."""
    place.webhook.responses = [(503, {})] * 1000
    async with running(place) as flow:
        await usual(flow, 1)
        await flow.minute(message, SPIKE)
        await place.webhook.wait_for_requests(2)
        assert (await flow.anomalies(), place.forwarded(), place.told()) == ([], [], [])
        (incident,) = flow.room.incidents.open.values()
        flow.kill()
    place.webhook.responses = []
    async with running(place) as flow:
        await flow.minute(message, SPIKE)
        assert await everywhere(flow, ["open"], ["open"]) == incident.id
        await until_resolved(flow)
        assert await everywhere(flow, ["resolved"], ["open", "resolved"]) == incident.id


async def test_killed_while_only_trends_lacks_the_flush(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL and analytics have the incident; trends cannot know it yet. They are not sent it again."""

    async def refuse(flush: Flush) -> None:
        raise RetryableError("not now")

    async with running(place) as flow:
        await usual(flow, 1)
        await flow.minute(message, SPIKE)
        await flow.delivered()
        monkeypatch.setattr(flow.room, "add_flush", refuse)
        lanes = {lane.name: lane for lane in flow.service.runtime.lanes}
        async with asyncio.timeout(DEADLINE):
            sequence = await flow.service.runtime.aggregator.seal_now()
            for name in ("postgres", "analytics"):
                await lanes[name].reached(sequence)
        assert lanes["trends"].cursor < sequence
        assert len(place.forwarded()) == len(await place.table()) == 1
        flow.kill()
    async with running(place) as flow:
        await usual(flow, 2)
        await everywhere(flow, ["open"], ["open"])
        await until_resolved(flow)
        await everywhere(flow, ["resolved"], ["open", "resolved"])
    assert Counter(place.told()).most_common(1)[0][1] == 1

"""Against a real HTTP server: the format of each kind of target, retries, and independent queues."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from log_aggregator_trends import TrendsConfig
from log_aggregator_trends.incidents import Incident
from log_aggregator_trends.notifier import Notifier
from plugins.trends.tests.webhook_server import DEADLINE, run_webhook_server

MEMBER: dict[str, Any] = {
    "series": "pattern:ab",
    "kind": "spike",
    "pattern": "order <b> & {ID}",
    "window_minutes": 5,
    "expected": 3.0,
    "expected_range": [0.0, 9.0],
    "seen": 80.0,
    "one_in_10_to_the": 12.4,
    "samples": ["order <b> & 17"],
}


def incident(number: int = 1, **changes: Any) -> Incident:
    fields: dict[str, Any] = {
        "id": f"i{number}",
        "cause": "more:shop",
        "kind": "spike",
        "tier": "notify",
        "pattern_id": "ab",
        "pattern": "order <b> & {ID}",
        "level": "INFO",
        "source": "shop",
        "started": 1_767_225_600_000_000,
        "updated": 1_767_225_660_000_000,
        "score": 0.7,
        "last_alert": 1,
        "members": {"pattern:ab": MEMBER},
    }
    return Incident(**fields | changes)


@asynccontextmanager
async def notifying(
    *targets: dict[str, Any], clock: Callable[[], float] = time.time, **options: Any
) -> AsyncIterator[tuple[Notifier, list[tuple[str, ...]]]]:
    delivered: list[tuple[str, ...]] = []

    async def remember(*what: str) -> None:
        delivered.append(what)

    config = TrendsConfig.model_validate({"targets": list(targets), "first_pause": 0.01, "retries": 3, **options})
    notifier = Notifier(config, remember, clock)
    task = asyncio.create_task(notifier.run())
    try:
        yield notifier, delivered
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_each_kind_gets_its_format() -> None:
    async with run_webhook_server() as server:
        kinds = ("webhook", "ntfy", "slack", "discord")
        targets = [{"kind": k, "url": f"{server.url}/{k}", "headers": {"X-Kind": k}} for k in kinds]
        async with notifying(*targets) as (notifier, _):
            notifier.notify(incident())
            await server.wait_for(4)
        sent = {h["X-Kind"]: (p, b) for h, p, b in zip(server.headers, server.paths, server.bodies, strict=True)}
    path, body = sent["webhook"]
    assert (path, body["event"], body["anomaly"]["id"]) == ("/webhook", "open", "i1")
    assert "80 in 5 min, expected 0 to 9" in body["text"]
    path, body = sent["ntfy"]
    assert (path, body["topic"], body["priority"]) == ("/", "ntfy", 4)
    assert body["title"] == "Spike: shop: order <b> & {ID}"
    path, body = sent["slack"]
    assert "order &lt;b&gt; &amp; {ID}" in body["blocks"][0]["text"]["text"]
    path, body = sent["discord"]
    assert body["allowed_mentions"] == {"parse": []}
    assert body["embeds"][0]["title"] == "Spike: shop: order <b> & {ID}"


async def test_samples_can_be_left_out() -> None:
    async with run_webhook_server() as server:
        targets = [{"kind": kind, "url": server.url, "samples": False} for kind in ("webhook", "slack")]
        async with notifying(*targets) as (notifier, _):
            notifier.notify(incident())
            bodies = await server.wait_for(2)
    assert "17" not in str([body.get("text", "") + str(body.get("blocks")) for body in bodies])
    assert all("samples" not in str(body) for body in bodies)


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_temporary_errors_are_retried(status: int) -> None:
    async with run_webhook_server() as server:
        server.responses = [(status, {}), (status, {"Retry-After": "0.01"})]
        async with notifying({"url": server.url}) as (notifier, delivered):
            notifier.notify(incident())
            await server.wait_for(1)
            await _until(lambda: bool(delivered))
        assert server.requests == 3
    assert delivered == [("i1", "webhook:127.0.0.1", "open")]


@pytest.mark.parametrize("status", [400, 404, 302])
async def test_permanent_errors_are_not_retried(status: int) -> None:
    async with run_webhook_server() as server:
        server.responses = [(status, {"Location": "http://127.0.0.1:9/"})]
        async with notifying({"url": server.url}) as (notifier, delivered):
            notifier.notify(incident())
            notifier.notify(incident(2))
            await server.wait_for(1)
            await _until(lambda: len(delivered) == 2)
            assert notifier.stats()["webhook:127.0.0.1"]["failed"] == 1
        assert server.requests == 2


async def test_unreachable_target_does_not_delay_others_and_its_queue_is_bounded() -> None:
    async with run_webhook_server() as server:
        unreachable = {"kind": "slack", "url": "http://127.0.0.1:9/"}
        async with notifying(unreachable, {"url": server.url}, retries=50, first_pause=30) as (notifier, _):
            for number in range(500):
                notifier.notify(incident(number))
                if number % 50 == 0:
                    await server.wait_for(number + 1)
            await server.wait_for(500)
            stats = notifier.stats()["slack:127.0.0.1"]
    assert stats["waiting"] == 200
    assert stats["dropped"] == 300


async def test_resolution_is_sent_where_enabled_and_recorded_incidents_are_not() -> None:
    over = incident(resolved=1_767_225_960_000_000, resolution="back to normal")
    over.notified["webhook:127.0.0.1"] = "open"
    async with run_webhook_server() as server:
        targets = ({"url": server.url}, {"kind": "slack", "url": server.url, "resolved": False})
        async with notifying(*targets) as (notifier, _):
            notifier.notify(incident(3, tier="recorded"))
            notifier.notify(over)
            bodies = await server.wait_for(1)
    assert len(bodies) == 1
    assert bodies[0]["event"] == "resolved"
    assert bodies[0]["text"].startswith("back to normal, after 6 min")
    assert over.notified["slack:127.0.0.1"] == "resolved"


async def _until(condition: Any) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.01)

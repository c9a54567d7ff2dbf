"""Against a real HTTP server: what each kind of target gets, what is tried again, and that nothing waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from log_aggregator_trends import TrendsConfig
from log_aggregator_trends.incidents import Incident
from log_aggregator_trends.notifier import Notifier
from plugins.trends.tests.receiver import DEADLINE, receiving

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
async def notifying(*targets: dict[str, Any], **options: Any) -> AsyncIterator[tuple[Notifier, list[tuple[str, ...]]]]:
    told: list[tuple[str, ...]] = []

    async def remember(*what: str) -> None:
        told.append(what)

    config = TrendsConfig.model_validate({"targets": list(targets), "first_pause": 0.01, "retries": 3, **options})
    notifier = Notifier(config, remember)
    task = asyncio.create_task(notifier.run())
    try:
        yield notifier, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_each_kind_gets_its_form() -> None:
    async with receiving() as receiver:
        kinds = ("webhook", "ntfy", "slack", "discord")
        targets = [{"kind": k, "url": f"{receiver.url}/{k}", "headers": {"X-Kind": k}} for k in kinds]
        async with notifying(*targets) as (notifier, _):
            notifier.tell(incident())
            await receiver.wait_for(4)
        sent = {h["X-Kind"]: (p, b) for h, p, b in zip(receiver.headers, receiver.paths, receiver.bodies, strict=True)}
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


async def test_samples_can_be_kept_in() -> None:
    async with receiving() as receiver:
        targets = [{"kind": kind, "url": receiver.url, "samples": False} for kind in ("webhook", "slack")]
        async with notifying(*targets) as (notifier, _):
            notifier.tell(incident())
            bodies = await receiver.wait_for(2)
    assert "17" not in str([body.get("text", "") + str(body.get("blocks")) for body in bodies])
    assert all("samples" not in str(body) for body in bodies)


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_is_tried_again(status: int) -> None:
    async with receiving() as receiver:
        receiver.answers = [(status, {}), (status, {"Retry-After": "0.01"})]
        async with notifying({"url": receiver.url}) as (notifier, told):
            notifier.tell(incident())
            await receiver.wait_for(1)
            await _until(lambda: bool(told))
        assert receiver.tries == 3
    assert told == [("i1", "webhook:127.0.0.1", "open")]


@pytest.mark.parametrize("status", [400, 404, 302])
async def test_refused_is_given_up_at_once(status: int) -> None:
    async with receiving() as receiver:
        receiver.answers = [(status, {"Location": "http://127.0.0.1:9/"})]
        async with notifying({"url": receiver.url}) as (notifier, told):
            notifier.tell(incident())
            notifier.tell(incident(2))
            await receiver.wait_for(1)
            await _until(lambda: len(told) == 2)
            assert notifier.figures()["webhook:127.0.0.1"]["failed"] == 1
        assert receiver.tries == 2


async def test_one_dead_target_holds_up_no_other_and_its_queue_is_bounded() -> None:
    async with receiving() as receiver:
        dead = {"kind": "slack", "url": "http://127.0.0.1:9/"}
        async with notifying(dead, {"url": receiver.url}, retries=50, first_pause=30) as (notifier, _):
            for number in range(500):
                notifier.tell(incident(number))
                if number % 50 == 0:
                    await receiver.wait_for(number + 1)
            await receiver.wait_for(500)
            figures = notifier.figures()["slack:127.0.0.1"]
    assert figures["waiting"] == 200
    assert figures["dropped"] == 300


async def test_end_is_told_when_wanted_and_recorded_is_not() -> None:
    over = incident(resolved=1_767_225_960_000_000, resolution="back to normal")
    over.told["webhook:127.0.0.1"] = "open"
    async with receiving() as receiver:
        targets = ({"url": receiver.url}, {"kind": "slack", "url": receiver.url, "resolved": False})
        async with notifying(*targets) as (notifier, _):
            notifier.tell(incident(3, tier="recorded"))
            notifier.tell(over)
            bodies = await receiver.wait_for(1)
    assert len(bodies) == 1
    assert bodies[0]["event"] == "resolved"
    assert bodies[0]["text"].startswith("back to normal, after 6 min")
    assert over.told["slack:127.0.0.1"] == "resolved"


async def _until(condition: Any) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.01)

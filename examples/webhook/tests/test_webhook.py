"""The sink keeps the contract against a real receiver, and tells its answers apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from log_aggregator_webhook import Webhook

from log_aggregator import RetryableError
from log_aggregator.sinks import Anomaly, PermanentError
from log_aggregator_dev import OpenSink, SinkContract, living, make_aggregate, make_flush


class Receiver:
    """Keeps each flush once, or answers `status`."""

    def __init__(self) -> None:
        self.anomalies: list[str] = []
        self.flushes: dict[str, list[dict[str, Any]]] = {}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        document = await request.json()
        if self.status == 200:
            self.flushes[request.headers["Idempotency-Key"]] = document["aggregates"]
            self.anomalies += [anomaly["id"] for anomaly in document["anomalies"]]
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield receiver
    finally:
        await runner.cleanup()


class TestWebhook(SinkContract):
    exactly_once = False

    @asynccontextmanager
    async def around(self, directory: Path) -> AsyncIterator[None]:
        async with receiving() as self.receiver:
            yield

    def make_sink(self, directory: Path) -> Webhook:
        return Webhook(Webhook.Config.model_validate({"url": self.receiver.url}))

    async def read_back(self, opened: OpenSink) -> dict[str, int]:
        counts: dict[str, int] = {}
        for rows in self.receiver.flushes.values():
            for row in rows:
                counts[row["pattern"]] = counts.get(row["pattern"], 0) + row["count"]
        return counts

    @asynccontextmanager
    async def outage(self, directory: Path) -> AsyncIterator[None]:
        self.receiver.status = 503
        yield
        self.receiver.status = 200


async def _answered(directory: Path, status: int, headers: dict[str, str]) -> list[str]:
    async with receiving() as receiver:
        receiver.status, receiver.headers = status, headers
        sink = Webhook(Webhook.Config.model_validate({"url": receiver.url, "levels": ["error"]}))
        async with living(sink, directory):
            await sink.on_flush(make_flush([make_aggregate("bad", level="ERROR"), make_aggregate("fine")]))
        return [row["pattern"] for rows in receiver.flushes.values() for row in rows]


def test_only_the_wanted_levels_are_sent(tmp_path: Path) -> None:
    assert asyncio.run(_answered(tmp_path, 200, {})) == ["bad"]


def test_anomalies_are_sent_though_no_aggregate_is(tmp_path: Path) -> None:
    anomaly = Anomaly("a1", "spike", "open", "notify", "id", "p", "INFO", "web", 1, 2, 0.5)

    async def sent() -> list[str]:
        async with receiving() as receiver:
            sink = Webhook(Webhook.Config.model_validate({"url": receiver.url, "levels": ["ERROR"]}))
            async with living(sink, tmp_path):
                await sink.on_flush(make_flush([make_aggregate("fine")], anomalies=(anomaly,)))
            return receiver.anomalies

    assert asyncio.run(sent()) == ["a1"]


def test_a_busy_receiver_says_when_to_come_again(tmp_path: Path) -> None:
    with pytest.raises(RetryableError) as caught:
        asyncio.run(_answered(tmp_path, 429, {"Retry-After": "7"}))
    assert caught.value.retry_after == 7


def test_a_receiver_that_refuses_for_good_needs_a_person(tmp_path: Path) -> None:
    with pytest.raises(PermanentError):
        asyncio.run(_answered(tmp_path, 400, {}))

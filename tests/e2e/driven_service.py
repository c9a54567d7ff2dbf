"""A service in this process whose minutes a test ends, and what everybody who hears of incidents has heard."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from log_aggregator.aggregation import sealer
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.config.settings import Settings
from log_aggregator.http.app import build_app
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.service import Service
from log_aggregator_trends import Trends, TrendsConfig
from log_aggregator_trends.monitor import Monitor
from log_aggregator_trends.series import SeriesKey
from log_aggregator_trends.state_file import StateFile, encode
from plugins.analytics.tests import analytics_server as analytics
from plugins.trends.tests import webhook_server as webhook
from plugins.trends.tests.factories import trained

DEADLINE = 120.0


class Clock:
    """Epoch seconds, as trends and the sealer see them. It begins some hours ago, so that no time is in the future."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = (time.time() // 60 - 300) * 60.0
        driven = SimpleNamespace(monotonic=time.monotonic, time_ns=lambda: int(self.now * 1e9))
        patch.setattr(sealer, "time", driven)

    @property
    def minute(self) -> int:
        """Minutes since the epoch."""
        return int(self.now // 60)


@dataclass
class Place:
    """What outlasts a service: its data directory, the clock, the database and the two who are told."""

    data_dir: Path
    clock: Clock
    dsn: str
    analytics: analytics.AnalyticsServer
    webhook: webhook.WebhookServer
    points: dict[int, int] = field(default_factory=dict)
    """Logs that were sent, by minute."""

    def learned(self, keys: list[SeriesKey], rng: random.Random) -> None:
        """Write three days of about six logs a minute into the file that trends begins with."""
        self.data_dir.mkdir()
        saved = StateFile(self.data_dir / "trends.sqlite3")
        series = [encode(trained(key, self.clock.minute, rng)) for key in keys]
        saved.write({"first_minute": str(self.clock.minute - 3 * 1440)}, series, [], [], [], 0)
        saved.close()

    async def table(self) -> list[dict[str, Any]]:
        """The rows of `log_anomalies`."""
        connection = await asyncpg.connect(self.dsn, timeout=DEADLINE)
        try:
            rows = await connection.fetch("SELECT * FROM log_anomalies ORDER BY started", timeout=DEADLINE)
        finally:
            await connection.close()
        return [dict(row) for row in rows]

    def forwarded(self) -> list[dict[str, Any]]:
        """The anomalies that the analytics service took, each batch once, in order."""
        return [anomaly for batch in self.analytics.batches.values() for anomaly in batch["anomalies"]]

    def told(self) -> list[tuple[str, str]]:
        """Event and id of the messages that arrived at the webhook."""
        return [(body["event"], body["anomaly"]["id"]) for body in self.webhook.bodies]


class Running:
    """A service that runs at a place."""

    def __init__(self, place: Place, service: Service, room: Monitor, url: str, session: aiohttp.ClientSession) -> None:
        self.place = place
        self.service = service
        self.room = room
        self._url = url
        self._session = session

    async def request(self, method: str, path: str, body: Any = None) -> Any:
        """One HTTP request; the decoded JSON."""
        async with asyncio.timeout(DEADLINE), self._session.request(method, self._url + path, json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def send(self, message: Callable[[int], str], count: int) -> None:
        """Post logs that are received in the minute that is to end next."""
        clock, minute = self.place.clock, self.room.next_minute
        clock.now = minute * 60.0 + 20
        logs = [
            {"message": message(n), "level": "WARN", "source": "shop", "timestamp": clock.now} for n in range(count)
        ]
        receipt = await self.request("POST", "/ingest/batch", {"logs": logs})
        assert receipt["accepted"] == count
        self.place.points[minute] = self.place.points.get(minute, 0) + count

    async def flush(self) -> None:
        """Seal what has gathered; every sink has it."""
        outcome = await self.request("POST", f"/flush?deadline={DEADLINE / 2:g}")
        assert {sink["outcome"] for sink in outcome["sinks"].values()} == {"stored"}, outcome

    async def end_minute(self) -> None:
        """Let the minute pass and trends judge it."""
        self.place.clock.now = (self.room.next_minute + 1) * 60.0 + 1
        await self.room.end_minute()

    async def minute(self, message: Callable[[int], str], count: int) -> None:
        """A whole minute: logs come in over HTTP, are flushed, and are judged."""
        await self.send(message, count)
        await self.flush()
        await self.end_minute()

    async def anomalies(self) -> list[dict[str, Any]]:
        """`GET /anomalies`."""
        found: list[dict[str, Any]] = (await self.request("GET", "/anomalies"))["anomalies"]
        return found

    async def delivered(self) -> None:
        """Wait until no message waits for the webhook and what it was told is written down."""
        async with asyncio.timeout(DEADLINE):
            while any(target["waiting"] for target in self.room.stats()["targets"].values()) or self._untold():
                await asyncio.sleep(0.01)
        await self.room._state.run(lambda file: None)

    def _untold(self) -> bool:
        incidents = [*self.room.incidents.open.values(), *self.room.incidents.closed.values()]
        return any(
            set(incident.notified.values()) != {"open" if incident.resolved is None else "resolved"}
            for incident in incidents
            if incident.tier == "notify"
        )

    def kill(self) -> None:
        """Leave the place as SIGKILL would: files as they are now, and nothing that the stop writes is kept.

        Nothing may be under way: the loop stands still, but not the threads that write.
        """
        left = self.place.data_dir.with_name(f"{self.place.data_dir.name}+")
        shutil.copytree(self.place.data_dir, left, ignore=shutil.ignore_patterns("*-shm"))
        self.place.data_dir = left
        self.service.node.drain = nothing  # type: ignore[method-assign]


async def nothing() -> None:
    """A stop without a drain."""


@asynccontextmanager
async def running(place: Place) -> AsyncIterator[Running]:
    """Start the service at a place, with HTTP on a free port; leaving stops it."""
    targets = [{"url": place.webhook.url}]
    trends = Trends(
        TrendsConfig.model_validate({"targets": targets, "resolve_minutes": 5, "first_pause": 0.05, "retries": 50}),
        lambda: place.clock.now,
    )
    pipeline = (
        f'[plugins.patterns]\n[plugins.postgres]\ndsn = "{place.dsn}"\n'
        f'[plugins.analytics]\nrequired = false\nurl = "{place.analytics.url}"\n'
        "[plugins.trends]\nrequired = false\n"
    )
    settings = Settings(
        data_dir=place.data_dir,
        shutdown_timeout=10,
        aggregation_window=3600,
        aggregation_bucket=60,
        batch_size=10**6,
    )
    place.clock.now += 60
    async with Service(settings, Registry(parse_plugins(pipeline), {}, given={"trends": trends})) as service:
        runner = web.AppRunner(build_app(service), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            assert trends._monitor is not None
            async with aiohttp.ClientSession() as session:
                yield Running(place, service, trends._monitor, url, session)
        finally:
            await runner.cleanup()

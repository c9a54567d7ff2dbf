"""A service in this process with a real store and the real analytics sink, and helpers to drive it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from log_aggregator import Record
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.config.settings import Settings
from log_aggregator.delivery.lane import Lane
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.service import Service

DEADLINE = 60.0
ROUNDS = 15


class Forwarding:
    """Feeds the service and observes its two lanes: `store` and `analytics`."""

    def __init__(self, service: Service) -> None:
        self.service = service
        lanes = {lane.name: lane for lane in service.runtime.lanes}
        (self.store,) = (lane for lane in service.runtime.lanes if lane.name != "analytics")
        self.analytics: Lane = lanes["analytics"]
        self.sent = 0

    async def feed(self, logs: int = 10, kinds: int = 3) -> int:
        """Ingest logs and seal them; returns the sequence of the flush."""
        now = time.time_ns() // 1000
        records = [
            Record("text", "INFO", "app", now, {}, pattern=f"kind {number % kinds} of {'some ' * 20}")
            for number in range(logs)
        ]
        await self.service.submit(records)
        self.sent += logs
        async with asyncio.timeout(DEADLINE):
            return await self.service.runtime.aggregator.seal_now()

    async def stored(self, sequence: int) -> None:
        """Wait until the store has the flush."""
        async with asyncio.timeout(DEADLINE):
            await self.store.reached(sequence)

    async def forwarded(self, sequence: int) -> None:
        """Wait until the analytics service has the flush, skipping the pauses between attempts."""
        async with asyncio.timeout(DEADLINE):
            while not await self.analytics.last_try(sequence):
                pass

    async def failed(self) -> None:
        """Wait for one more failed delivery to the analytics service."""
        errors = self.analytics.errors
        self.analytics.hurry()
        async with asyncio.timeout(DEADLINE), self.analytics._moved:
            await self.analytics._moved.wait_for(lambda: self.analytics.errors > errors)

    async def assert_store_is_not_held_up(self) -> None:
        """Feed flushes while the analytics service fails: each is stored at once, and none is rejected."""
        before = self.analytics.delivered
        for _ in range(ROUNDS):
            await self.stored(await self.feed())
            assert self.store.stats()["lag_flushes"] == 0
        assert self.store.errors == 0
        assert self.analytics.attempts >= 1
        assert self.analytics.delivered == before
        assert self.analytics.stats()["lag_flushes"] >= ROUNDS
        assert self.service.runtime.ingester.accepted == self.sent


@asynccontextmanager
async def run_forwarding(
    directory: Path, url: str, store: str, options: str, required: str = "false"
) -> AsyncIterator[Forwarding]:
    """A service with the store `[plugins.<store>…]` (TOML) and the analytics sink with `options`."""
    pipeline = f'[plugins.{store}\n[plugins.analytics]\nrequired = {required}\nurl = "{url}"\n{options}\n'
    settings = Settings(
        data_dir=directory / "data",
        shutdown_timeout=2,
        aggregation_window=3600,
        batch_size=10**6,
        sink_timeout=10 * DEADLINE,  # a hanging attempt lasts longer than the test
    )
    async with Service(settings, Registry(parse_plugins(pipeline), {})) as service:
        yield Forwarding(service)

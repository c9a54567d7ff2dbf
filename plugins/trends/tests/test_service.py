"""In the real service with the embedded store: a spike is stored once across a restart, and resolved once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from log_aggregator import Record, pattern_id
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.config.settings import Settings
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.service import Service
from log_aggregator.store import AnomalyQuery
from log_aggregator_trends import Trends, TrendsConfig
from log_aggregator_trends.monitor import Monitor
from log_aggregator_trends.series import SeriesKey
from plugins.trends.tests.factories import trained
from plugins.trends.tests.webhook_server import DEADLINE, WebhookServer, run_webhook_server

PATTERN = "payment {ID} refused"


class Flow:
    """A running service with the monitor of its trends plugin."""

    def __init__(self, service: Service, monitor: Monitor) -> None:
        self.service = service
        self.monitor = monitor

    async def minute(self, logs: int) -> None:
        """Ingest and flush `logs` logs, and end their minute."""
        now = time.time_ns() // 1000
        if logs:
            await self.service.submit([Record("text", "WARN", "shop", now, {}, pattern=PATTERN) for _ in range(logs)])
        await self.flush()
        # The logs belong to the current wall-clock minute; move their counts to the monitor's next minute.
        counts = self.monitor.tracker.counts
        gathered: dict[SeriesKey, int] = {}
        for bucket in counts._minutes.values():
            for key, count in bucket.items():
                gathered[key] = gathered.get(key, 0) + count
        counts._minutes = {self.monitor.next_minute: gathered}
        await self.monitor.end_minute()
        counts.opened = 0

    async def flush(self) -> None:
        async with asyncio.timeout(DEADLINE):
            sequence = await self.service.runtime.aggregator.seal_now()
            for lane in self.service.runtime.lanes:
                await lane.reached(sequence)

    async def stored(self) -> list[dict[str, Any]]:
        assert self.service.store is not None
        return await self.service.store.anomalies(AnomalyQuery())


@asynccontextmanager
async def running(data_dir: Path, server: WebhookServer) -> AsyncIterator[Flow]:
    config = TrendsConfig.model_validate({"targets": [{"url": server.url}], "resolve_minutes": 5})
    plugin = Trends(config)
    registry = Registry(
        parse_plugins("[plugins.sqlite]\n[plugins.trends]\nrequired = false\n"), {}, given={"trends": plugin}
    )
    settings = Settings(data_dir=data_dir, shutdown_timeout=2, aggregation_window=3600, batch_size=10**6)
    async with Service(settings, registry) as service:
        assert plugin._monitor is not None
        yield Flow(service, plugin._monitor)


async def test_spike_from_the_log_to_the_store_and_a_person_over_a_restart(tmp_path: Path, rng: random.Random) -> None:
    async with run_webhook_server() as server:
        async with running(tmp_path / "data", server) as flow:
            monitor = flow.monitor
            for key in (SeriesKey("pattern", pattern_id(PATTERN)), SeriesKey("source", "shop")):
                monitor.tracker.restore(trained(key, monitor.next_minute, rng))
            monitor.tracker.counts.opened = 0
            await flow.minute(6)
            assert await flow.stored() == []
            await flow.minute(90)
            await flow.flush()
            first = await flow.stored()
            await server.wait_for(1)
            last_minute = monitor.next_minute
            async with asyncio.timeout(DEADLINE):
                while not next(iter(monitor.incidents.open.values())).notified:
                    await asyncio.sleep(0.01)
        assert [(row["kind"], row["state"], row["tier"]) for row in first] == [("spike", "open", "notify")]
        async with running(tmp_path / "data", server) as flow:
            flow.monitor.next_minute = last_minute
            flow.monitor.tracker.counts.opened = 0
            await flow.minute(90)
            await flow.flush()
            assert [row["id"] for row in await flow.stored()] == [first[0]["id"]]
            for _ in range(80):
                await flow.minute(6)
            await flow.flush()
            last = await flow.stored()
            bodies = await server.wait_for(2)
            stats = flow.service.node.stats()["plugins"]["trends"]["figures"]
    assert [(row["id"], row["state"]) for row in last] == [(first[0]["id"], "resolved")]
    assert [body["event"] for body in bodies] == ["open", "resolved"]
    assert stats["incidents_open"] == 0
    assert stats["targets"]["webhook:127.0.0.1"]["sent"] == 1

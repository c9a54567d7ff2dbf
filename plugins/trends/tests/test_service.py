"""In the real service with the embedded store: an injected spike is stored once, over a restart, and resolved once."""

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
from log_aggregator_trends.room import Room
from log_aggregator_trends.series import SeriesKey
from plugins.trends.tests.made import trained
from plugins.trends.tests.receiver import DEADLINE, Receiver, receiving

PATTERN = "payment {ID} refused"


class Flow:
    """A running service and the room of its trends plugin."""

    def __init__(self, service: Service, room: Room) -> None:
        self.service = service
        self.room = room

    async def minute(self, logs: int) -> None:
        """`logs` logs come, are flushed and counted, and their minute is over."""
        now = time.time_ns() // 1000
        if logs:
            await self.service.take([Record("text", "WARN", "shop", now, {}, pattern=PATTERN) for _ in range(logs)])
        await self.flush()
        # The logs came in this very minute; the next one is made to begin.
        counts = self.room.watch.counts
        gathered: dict[SeriesKey, int] = {}
        for bucket in counts._minutes.values():
            for key, count in bucket.items():
                gathered[key] = gathered.get(key, 0) + count
        counts._minutes = {self.room.next_minute: gathered}
        await self.room.end_minute()
        counts.opened = 0

    async def flush(self) -> None:
        async with asyncio.timeout(DEADLINE):
            sequence = await self.service.pipeline.seal_now()
            for lane in self.service.lanes:
                await lane.reached(sequence)

    async def stored(self) -> list[dict[str, Any]]:
        assert self.service.store is not None
        return await self.service.store.anomalies(AnomalyQuery())


@asynccontextmanager
async def running(data_dir: Path, receiver: Receiver) -> AsyncIterator[Flow]:
    config = TrendsConfig.model_validate({"targets": [{"url": receiver.url}], "resolve_minutes": 5})
    plugin = Trends(config)
    registry = Registry(
        parse_plugins("[plugins.sqlite]\n[plugins.trends]\nrequired = false\n"), {}, given={"trends": plugin}
    )
    settings = Settings(data_dir=data_dir, shutdown_timeout=2, aggregation_window=3600, batch_size=10**6)
    async with Service(settings, registry) as service:
        assert plugin._room is not None
        yield Flow(service, plugin._room)


async def test_spike_from_the_log_to_the_store_and_a_person_over_a_restart(tmp_path: Path, rng: random.Random) -> None:
    async with receiving() as receiver:
        async with running(tmp_path / "data", receiver) as flow:
            room = flow.room
            for key in (SeriesKey("pattern", pattern_id(PATTERN)), SeriesKey("source", "shop")):
                room.watch.adopt(trained(key, room.next_minute, rng))
            room.watch.counts.opened = 0
            await flow.minute(6)
            assert await flow.stored() == []
            await flow.minute(90)
            await flow.flush()
            first = await flow.stored()
            await receiver.wait_for(1)
            last_minute = room.next_minute
            async with asyncio.timeout(DEADLINE):
                while not next(iter(room.incidents.open.values())).told:
                    await asyncio.sleep(0.01)
        assert [(row["kind"], row["state"], row["tier"]) for row in first] == [("spike", "open", "notify")]
        async with running(tmp_path / "data", receiver) as flow:
            flow.room.next_minute = last_minute
            flow.room.watch.counts.opened = 0
            await flow.minute(90)
            await flow.flush()
            assert [row["id"] for row in await flow.stored()] == [first[0]["id"]]
            for _ in range(80):
                await flow.minute(6)
            await flow.flush()
            last = await flow.stored()
            bodies = await receiver.wait_for(2)
            figures = flow.service.own_stats()["plugins"]["trends"]["figures"]
    assert [(row["id"], row["state"]) for row in last] == [(first[0]["id"], "resolved")]
    assert [body["event"] for body in bodies] == ["open", "resolved"]
    assert figures["incidents_open"] == 0
    assert figures["targets"]["webhook:127.0.0.1"]["sent"] == 1

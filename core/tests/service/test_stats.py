"""`GET /stats`, and what a plugin sees of it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.tests.made import PlainRegistry, Store, make_plugin
from log_aggregator import Record
from log_aggregator.config.settings import Settings
from log_aggregator.hookspecs import Service as ServiceHandle
from log_aggregator.service.reloads import Reloads
from log_aggregator.service.service import Service
from log_aggregator.service.totals import Totals

Make = Callable[..., Record]


class Watcher:
    handle: ServiceHandle

    @asynccontextmanager
    async def lifespan(self, service: ServiceHandle) -> AsyncIterator[None]:
        self.handle = service
        service.add_stats("watcher", lambda: {"seen": 7})
        yield


async def test_a_plugin_reads_what_stats_shows(tmp_path: Path, record: Callable[..., Record]) -> None:
    watcher = Watcher()
    registry = PlainRegistry(make_plugin(watcher, "watcher"))
    settings = Settings(data_dir=tmp_path, plugins_file=tmp_path / "plugins.toml")
    async with Service(settings, registry) as service:  # type: ignore[arg-type]
        before = await watcher.handle.stats()
        await watcher.handle.ingest([record(), record(level="ERROR", source="shop")])
        await service.flush(30)
        after = await watcher.handle.stats()
        assert after.keys() == (await service.stats()).keys()
    assert (before["logs"]["accepted"], after["logs"]["accepted"]) == (0, 2)
    assert after["logs"]["errors_by_source"] == {"shop": 1}
    assert after["plugins"]["watcher"]["figures"] == {"seen": 7}


async def test_stats_add_up(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start() as service:
        await service.submit([record(level="ERROR", source="db"), record(), record()])
        await service.flush(20)
        stats = await service.stats()
    assert stats["logs"]["accepted"] == stats["logs"]["aggregated"] == 3
    assert stats["logs"]["by_level"] == {"ERROR": 1, "INFO": 2}
    assert stats["logs"]["errors_by_source"] == {"db": 1}
    assert stats["aggregation"]["logs_per_row"] == 1.5
    assert stats["sinks"]["store"]["state"] == "stored"


async def test_totals_outlast_a_reload(start: Callable[..., Service], record: Make) -> None:
    reloads = Reloads()
    for _ in range(3):
        async with start(reloads=reloads) as service:
            await service.submit([record(level="ERROR", source="db"), record()])
            await service.flush(20)
            stats = await service.stats()
    assert stats["logs"]["accepted"] == stats["logs"]["aggregated"] == 6
    assert stats["logs"]["by_level"] == {"ERROR": 3, "INFO": 3}
    assert stats["logs"]["errors_by_source"] == {"db": 3}
    assert stats["aggregation"]["rows"] == 2  # of this pipeline
    assert stats["uptime_seconds"] == pytest.approx(time.time() - reloads.totals.started, abs=5)


def test_names_of_totals_are_bounded_over_reloads() -> None:
    totals = Totals()
    for reload in range(3):
        names = {f"s{number}": 1 for number in range(reload, 2000, 3)}
        totals.keep({"logs": {"accepted": len(names), "errors_by_source": names, "timestamps_replaced": 1}})
    logs = totals.over({"instance": "i", "logs": {"timestamps_replaced": 1}})["logs"]
    assert (logs["accepted"], logs["timestamps_replaced"]) == (2000, 1)
    assert (len(logs["errors_by_source"]), sum(logs["errors_by_source"].values())) == (1001, 2000)

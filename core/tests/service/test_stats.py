"""What a plugin sees of the service's own figures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.tests.made import PlainRegistry, make_plugin
from log_aggregator import Record
from log_aggregator.config.settings import Settings
from log_aggregator.hookspecs import Service as ServiceHandle
from log_aggregator.service.service import Service
from log_aggregator.service.stats import Latency


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


def test_a_latency_has_count_sum_and_quantiles() -> None:
    latency = Latency()
    assert latency.figures() == {"count": 0, "sum_seconds": 0, "p50_ms": None, "p90_ms": None, "p99_ms": None}
    for seconds in (0.001, 0.002, 0.003):
        latency.note(seconds)
    figures = latency.figures()
    assert (figures["count"], figures["sum_seconds"]) == (3, 0.006)
    assert figures["p50_ms"] == pytest.approx(2, rel=0.02)

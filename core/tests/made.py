"""Plugins, registries and a store made on the spot, for tests of one folder of the core."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from log_aggregator import RetryableError
from log_aggregator.config.pipeline import PluginEntry
from log_aggregator.hookspecs import HOOKS
from log_aggregator.journal.local import SqliteJournal
from log_aggregator.plugins.registry import Plugin
from log_aggregator.service.service import Service
from log_aggregator.sinks import Flush, Position


class PlainRegistry:
    """The part of `Registry` that the core uses, over plugins that were not installed."""

    def __init__(self, *plugins: Plugin) -> None:
        self.plugins = list(plugins)

    def with_hook(self, name: str) -> list[Plugin]:
        return [plugin for plugin in self.plugins if plugin.hook(name)]


def make_plugin(instance: Any, name: str = "sink", **entry: Any) -> Plugin:
    plugin = Plugin(PluginEntry(name=name, where=f"test [plugins.{name}]", **entry), instance, "test", "0")
    for hook in HOOKS:
        if hasattr(instance, hook):
            plugin.hooks[hook] = getattr(instance, hook)
    return plugin


class Store:
    """A sink that stores exactly once, in memory, and can be away."""

    def __init__(self) -> None:
        self.progress: Position | None = None
        self.counts: Counter[str] = Counter()
        self.flushes: list[Flush] = []
        self.away = False

    async def on_flush(self, flush: Flush) -> None:
        if self.away:
            raise RetryableError("away")
        if flush.is_stored(self.progress):
            return
        self.progress = flush.position
        self.flushes.append(flush)
        for aggregate in flush.aggregates:
            self.counts[aggregate.pattern] += aggregate.count

    @property
    def total(self) -> int:
        return self.counts.total()


@asynccontextmanager
async def crashing(service: Service) -> AsyncIterator[Service]:
    """Enter a service and leave it as a crash would: nothing is drained."""
    await service.__aenter__()
    yield service
    await service._stop()


def sqlite_of(service: Service) -> SqliteJournal:
    """The embedded journal of a running service, for tests that break it."""
    journal = service.runtime.journal
    assert isinstance(journal, SqliteJournal)
    return journal

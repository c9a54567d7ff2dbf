"""Makes the lanes of a partition: one for each sink, those of one sink taking turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from log_aggregator.config.settings import Settings
from log_aggregator.delivery.lane import Lane
from log_aggregator.journal import Partition
from log_aggregator.plugins.checks import instances_of
from log_aggregator.plugins.registry import Plugin, Registry
from log_aggregator.plugins.stages import Stages


class LaneMaker:
    """Makes lanes. With several partitions a sink gets one flush at a time all the same.

    With `once` the sinks of which there is one in the whole cluster are apart: they have no lane beside the others.
    """

    def __init__(self, settings: Settings, registry: Registry, stages: Stages, *, once: bool = False) -> None:
        self._timeout = settings.sink_timeout
        self._stages = stages
        sinks = registry.with_hook("on_flush")
        self._apart = [plugin for plugin in sinks if once and instances_of(plugin.instance) == "cluster"]
        self._sinks = [plugin for plugin in sinks if plugin not in self._apart]
        self._turns = {plugin.name: asyncio.Lock() for plugin in sinks} if once else {}

    @property
    def has_apart(self) -> bool:
        """Whether there are sinks apart."""
        return bool(self._apart)

    def lanes(self, partition: Partition, on_progress: Callable[[], None]) -> list[Lane]:
        """The lanes of a partition that this process owns."""
        return [self._lane(plugin, partition, on_progress) for plugin in self._sinks]

    def lanes_apart(self, partition: Partition) -> list[Lane]:
        """The lanes of the sinks apart, over a partition that anybody owns."""
        return [self._lane(plugin, partition, _nothing) for plugin in self._apart]

    def _lane(self, plugin: Plugin, partition: Partition, on_progress: Callable[[], None]) -> Lane:
        names = [one.name for one in (*self._sinks, *self._apart)]
        circuit = self._stages.circuits[plugin.name]
        lane = Lane(plugin, partition, names, self._timeout, on_progress, circuit)
        lane.sink.watch = self._stages.watch
        if plugin.name in self._turns:
            lane.turn = self._turns[plugin.name]
        return lane


def _nothing() -> None:
    """No aggregator waits for what a sink apart has stored."""

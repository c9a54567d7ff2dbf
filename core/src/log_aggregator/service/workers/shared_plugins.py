"""Plugins with one instance on a node: worker 0 has it, and it gets the flushes of all workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from log_aggregator.config.place import Place
from log_aggregator.errors import RetryableError
from log_aggregator.model.aggregate import Flush
from log_aggregator.plugins.checks import instances_of
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.workers.peers import Peers


class OneAtATime:
    """An `on_flush` that several workers call: one call at a time."""

    def __init__(self, call: Callable[..., Awaitable[None]]) -> None:
        self._call = call
        self._lock = asyncio.Lock()

    async def __call__(self, flush: Flush) -> None:
        """Wait for the calls before, then store."""
        async with self._lock:
            await self._call(flush=flush)

    def named(self, error: Exception) -> str:
        """What the asking worker may be told of an exception: the text of one that is meant to be shown."""
        if isinstance(error, RetryableError):
            return f"{type(error).__name__}: {error}"
        return where_raised(error, package_of(self._call))


def share_plugins(registry: Registry, place: Place, peers: Peers) -> dict[str, OneAtATime]:
    """Replace the hooks of shared plugins; the sinks, by name, that the other workers deliver to.

    In the first worker `on_flush` is called one at a time. In the others it delivers to the first, and no other hook
    is called.
    """
    sinks: dict[str, OneAtATime] = {}
    for plugin in registry.plugins:
        if instances_of(plugin.instance) == "worker":
            continue
        if place.number:
            plugin.hooks = {"on_flush": partial(peers.deliver, plugin.name)} if plugin.hook("on_flush") else {}
        elif "on_flush" in plugin.hooks:
            plugin.hooks["on_flush"] = sinks[plugin.name] = OneAtATime(plugin.hooks["on_flush"])
    return sinks

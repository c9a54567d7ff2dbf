"""Sends notifications: one bounded queue and one task per target, with retries. Queueing never blocks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.incidents import Incident
from log_aggregator_trends.message import message_of
from log_aggregator_trends.target import Target
from log_aggregator_trends.target_queue import OnDelivered, TargetQueue

_WITHOUT_END = frozenset({"new_pattern", "returned", "escalated"})
"""Kinds of which only the beginning is told."""


class Notifier:
    """Notifies all targets. `run` owns the tasks of their queues."""

    def __init__(self, config: TrendsConfig, on_delivered: OnDelivered, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._public_url = str(config.public_url or "")
        self.queues = [
            TargetQueue(name, target, config, on_delivered, clock)
            for name, target in zip(_names(config.targets), config.targets, strict=True)
        ]

    @property
    def names(self) -> set[str]:
        """The targets' names."""
        return {queue.name for queue in self.queues}

    def notify(self, incident: Incident) -> None:
        """Queue an incident of the tier `notify` for every target that wants it and has not received its state."""
        if incident.tier != "notify":
            return
        state = "open" if incident.resolved is None else "resolved"
        for queue in self.queues:
            known = incident.notified.get(queue.name)
            if known == state:
                continue
            if known is None and not queue.target.wants(incident):
                if state == "resolved":
                    incident.notified[queue.name] = "resolved"
                continue
            if state == "resolved" and (not queue.target.resolved or incident.kind in _WITHOUT_END):
                incident.notified[queue.name] = "resolved"
                continue
            queue.enqueue(message_of(incident, state, self._public_url, samples=queue.target.samples))

    async def run(self) -> None:
        """Deliver notifications until cancelled."""
        async with self._session() as session, asyncio.TaskGroup() as tasks:
            for queue in self.queues:
                tasks.create_task(queue.run(session))

    async def test(self) -> list[dict[str, Any]]:
        """Send a test notification to every target at once: what became of each, ready for JSON."""
        message = message_of(test_incident(), "open", self._public_url)
        async with self._session() as session:
            errors = await asyncio.gather(*(queue.test(session, message) for queue in self.queues))
        return [
            {"name": queue.name, "kind": queue.target.kind, "ok": not error, "error": error}
            for queue, error in zip(self.queues, errors, strict=True)
        ]

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._config.timeout))

    def stats(self) -> dict[str, Any]:
        """The targets' objects in `GET /stats`, by name."""
        return {queue.name: queue.stats() for queue in self.queues}


def test_incident() -> Incident:
    """What a test notification tells of."""
    now = time.time_ns() // 1000
    return Incident(
        id="test", cause="test", kind="test", tier="notify", pattern_id="", pattern="This is a test", level="INFO",
        source="log-aggregator", started=now, updated=now, score=0.0, last_alert=now // 60_000_000,
    )  # fmt: skip


def _names(targets: list[Target]) -> list[str]:
    """A name for each target from its kind and host, such as `slack:hooks.slack.com`, numbered when repeated."""
    names: list[str] = []
    for target in targets:
        base = f"{target.kind}:{target.host}"
        taken = sum(name == base or name.startswith(f"{base}#") for name in names)
        names.append(base if not taken else f"{base}#{taken + 1}")
    return names

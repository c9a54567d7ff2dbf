"""Sends notifications: one bounded queue and one task per target, with retries. Queueing never blocks."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.incidents import Incident
from log_aggregator_trends.message import message_of
from log_aggregator_trends.target import Target
from log_aggregator_trends.target_queue import OnDelivered, TargetQueue

_WITHOUT_END = frozenset({"new_pattern", "returned", "escalated"})
"""Kinds of which only the beginning is told."""


_MOST_VISITORS = 5


class VisitorsError(Exception):
    """There are too many targets that are told for a time only, or the notifier does not run."""


class Notifier:
    """Notifies all targets. `run` owns the tasks of their queues."""

    def __init__(self, config: TrendsConfig, on_delivered: OnDelivered, clock: Callable[[], float] = time.time) -> None:
        self._config = config
        self._on_delivered = on_delivered
        self._clock = clock
        self._spawn: Callable[[Callable[[aiohttp.ClientSession], Coroutine[Any, Any, None]]], object] | None = None
        self._public_url = str(config.public_url or "")
        self.queues = [
            TargetQueue(name, target, config, on_delivered, clock)
            for name, target in zip(_names(config.targets), config.targets, strict=True)
        ]

    @property
    def names(self) -> set[str]:
        """The names of the targets that stand in the configuration."""
        return {queue.name for queue in self.queues if not queue.passing}

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
            self._spawn = lambda visit: tasks.create_task(visit(session))
            await asyncio.Event().wait()

    def visit(self, target: Target, seconds: float) -> str:
        """Notify one more target for some seconds; its name. Raises `VisitorsError` when there are too many.

        It is told of incidents from now on, and nobody waits for it.
        """
        visitors = [queue for queue in self.queues if queue.passing]
        if self._spawn is None or len(visitors) >= _MOST_VISITORS:
            raise VisitorsError
        name = f"passing:{target.address}"
        queue = TargetQueue(name, target, self._config, self._on_delivered, self._clock, passing=True)
        self.queues.append(queue)
        self._spawn(lambda session: self._visited(queue, session, seconds))
        return name

    async def _visited(self, queue: TargetQueue, session: aiohttp.ClientSession, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await queue.run(session)
        self.queues.remove(queue)

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

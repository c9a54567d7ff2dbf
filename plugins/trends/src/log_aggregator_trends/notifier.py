"""Sends notifications: one bounded queue and one task per target, with retries. Queueing never blocks."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from log_aggregator_trends.bodies import request
from log_aggregator_trends.config import Target, TrendsConfig
from log_aggregator_trends.incidents import Incident

_QUEUE_SIZE = 200
_MAX_PAUSE = 300.0
_WITHOUT_END = frozenset({"new_pattern", "returned", "escalated"})
"""Kinds of which only the beginning is told."""

_RETRIED_STATUSES = frozenset({408, 425, 429})

log = logging.getLogger(__name__)

OnDelivered = Callable[[str, str, str], Awaitable[None]]
"""Called with incident id, target and state after a notification was accepted, or its retries are exhausted."""


class TargetQueue:
    """Delivers notifications to one target in order, each until it is accepted or its retries are exhausted."""

    def __init__(self, name: str, target: Target, config: TrendsConfig, on_delivered: OnDelivered) -> None:
        self.name = name
        self._target = target
        self._config = config
        self._on_delivered = on_delivered
        self._public_url = str(config.public_url or "")
        self._waiting: deque[tuple[str, str, str, bytes]] = deque()
        self._wake = asyncio.Event()
        self.sent = self.failed = self.dropped = 0
        self.last_error = ""

    def enqueue(self, incident: Incident, state: str) -> None:
        """Queue a notification unless it is queued already; when the queue is full, drop and count the oldest."""
        if any(entry[:2] == (incident.id, state) for entry in self._waiting):
            return
        if len(self._waiting) >= _QUEUE_SIZE:
            self._waiting.popleft()
            self.dropped += 1
            log.error("notification dropped: queue full", extra={"target": self.name})
        self._waiting.append((incident.id, state, *request(self._target, incident, state, self._public_url)))
        self._wake.set()

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Deliver notifications until cancelled."""
        while True:
            while self._waiting:
                entry = self._waiting[0]
                await self._deliver(session, entry[2], entry[3])
                if self._waiting and self._waiting[0] is entry:
                    self._waiting.popleft()
                await self._on_delivered(entry[0], self.name, entry[1])
            self._wake.clear()
            await self._wake.wait()

    async def _deliver(self, session: aiohttp.ClientSession, url: str, body: bytes) -> None:
        for attempt in range(self._config.retries + 1):
            pause = min(_MAX_PAUSE, self._config.first_pause * 2.0**attempt)
            try:
                status, retry_after = await self._post(session, url, body)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self.last_error = type(error).__name__
            else:
                if status < 300:
                    self.sent += 1
                    self.last_error = ""
                    return
                self.last_error = f"status {status}"
                if status < 500 and status not in _RETRIED_STATUSES:
                    break
                pause = max(pause, min(retry_after, _MAX_PAUSE))
            if attempt < self._config.retries:
                log.warning("notification failed; will retry", extra={"target": self.name, "error": self.last_error})
                await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311  jitter, not a secret
        self.failed += 1
        log.error("notification failed; no retries left", extra={"target": self.name, "error": self.last_error})

    async def _post(self, session: aiohttp.ClientSession, url: str, body: bytes) -> tuple[int, float]:
        headers = {"Content-Type": "application/json", **self._target.headers}
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status, _seconds(response.headers.get("Retry-After"))

    async def test(self, session: aiohttp.ClientSession, incident: Incident) -> str:
        """Send one notification now, once; what went wrong, or an empty text."""
        try:
            status, _ = await self._post(session, *request(self._target, incident, "open", self._public_url))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return type(error).__name__
        return "" if status < 300 else f"status {status}"

    @property
    def kind(self) -> str:
        """The target's kind."""
        return self._target.kind

    def stats(self) -> dict[str, Any]:
        """This target's object in `GET /stats`."""
        return {
            "kind": self._target.kind,
            "sent": self.sent,
            "failed": self.failed,
            "dropped": self.dropped,
            "waiting": len(self._waiting),
            "last_error": self.last_error or None,
        }


class Notifier:
    """Notifies all targets. `run` owns the tasks of their queues."""

    def __init__(self, config: TrendsConfig, on_delivered: OnDelivered) -> None:
        self._config = config
        names = _names(config.targets)
        self.queues = [
            TargetQueue(name, target, config, on_delivered) for name, target in zip(names, config.targets, strict=True)
        ]
        self._wants_resolved = {name: target.resolved for name, target in zip(names, config.targets, strict=True)}

    @property
    def names(self) -> set[str]:
        """The targets' names."""
        return {queue.name for queue in self.queues}

    def notify(self, incident: Incident) -> None:
        """Queue an incident of the tier `notify` for every target that has not received its state."""
        if incident.tier != "notify":
            return
        state = "open" if incident.resolved is None else "resolved"
        for queue in self.queues:
            known = incident.notified.get(queue.name)
            if known == state:
                continue
            if state == "resolved" and (not self._wants_resolved[queue.name] or incident.kind in _WITHOUT_END):
                incident.notified[queue.name] = "resolved"
                continue
            queue.enqueue(incident, state)

    async def run(self) -> None:
        """Deliver notifications until cancelled."""
        async with self._session() as session, asyncio.TaskGroup() as tasks:
            for queue in self.queues:
                tasks.create_task(queue.run(session))

    async def test(self) -> list[dict[str, Any]]:
        """Send a test notification to every target at once: what became of each, ready for JSON."""
        incident = test_incident()
        async with self._session() as session:
            errors = await asyncio.gather(*(queue.test(session, incident) for queue in self.queues))
        return [
            {"name": queue.name, "kind": queue.kind, "ok": not error, "error": error}
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
        base = f"{target.kind}:{target.url.host}"
        taken = sum(name == base or name.startswith(f"{base}#") for name in names)
        names.append(base if not taken else f"{base}#{taken + 1}")
    return names


def _seconds(retry_after: str | None) -> float:
    try:
        return max(0.0, float(retry_after or 0.0))
    except ValueError:
        return 0.0

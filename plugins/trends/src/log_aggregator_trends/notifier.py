"""Tells people: one bounded queue and one task for each target, with tries again. Never blocks who hands in."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from log_aggregator_trends.bodies import request
from log_aggregator_trends.config import Target, TrendsConfig
from log_aggregator_trends.incidents import Incident

_WAITING = 200
_LONGEST_PAUSE = 300.0
_RETRIED = frozenset({408, 425, 429})

log = logging.getLogger(__name__)

Told = Callable[[str, str, str], Awaitable[None]]
"""Called with incident id, target and state after a message has arrived, or was given up."""


class Courier:
    """The way to one target: messages in order, each until it has arrived or is given up."""

    def __init__(self, name: str, target: Target, config: TrendsConfig, told: Told) -> None:
        self.name = name
        self._target = target
        self._config = config
        self._told = told
        self._waiting: deque[tuple[str, str, str, bytes]] = deque()
        self._wake = asyncio.Event()
        self.sent = self.failed = self.dropped = 0
        self.last_error = ""

    def hand_in(self, incident: Incident, state: str) -> None:
        """Queue a message; beyond the bound the oldest one is dropped and counted."""
        if any(entry[:2] == (incident.id, state) for entry in self._waiting):
            return
        if len(self._waiting) >= _WAITING:
            self._waiting.popleft()
            self.dropped += 1
            log.error("notification dropped: too many wait", extra={"target": self.name})
        self._waiting.append((incident.id, state, *request(self._target, incident, state)))
        self._wake.set()

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Deliver for ever; cancel to stop."""
        while True:
            while self._waiting:
                entry = self._waiting[0]
                await self._deliver(session, entry[2], entry[3])
                if self._waiting and self._waiting[0] is entry:
                    self._waiting.popleft()
                await self._told(entry[0], self.name, entry[1])
            self._wake.clear()
            await self._wake.wait()

    async def _deliver(self, session: aiohttp.ClientSession, url: str, body: bytes) -> None:
        for attempt in range(self._config.retries + 1):
            pause = min(_LONGEST_PAUSE, self._config.first_pause * 2.0**attempt)
            try:
                status, wanted = await self._post(session, url, body)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self.last_error = type(error).__name__
            else:
                if status < 300:
                    self.sent += 1
                    self.last_error = ""
                    return
                self.last_error = f"status {status}"
                if status < 500 and status not in _RETRIED:
                    break
                pause = max(pause, min(wanted, _LONGEST_PAUSE))
            if attempt < self._config.retries:
                log.warning("notification failed, tried again", extra={"target": self.name, "error": self.last_error})
                await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311  jitter, not a secret
        self.failed += 1
        log.error("notification given up", extra={"target": self.name, "error": self.last_error})

    async def _post(self, session: aiohttp.ClientSession, url: str, body: bytes) -> tuple[int, float]:
        headers = {"Content-Type": "application/json", **self._target.headers}
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status, _seconds(answer.headers.get("Retry-After"))

    def figures(self) -> dict[str, Any]:
        """What `/stats` shows of this target."""
        return {
            "kind": self._target.kind,
            "sent": self.sent,
            "failed": self.failed,
            "dropped": self.dropped,
            "waiting": len(self._waiting),
            "last_error": self.last_error or None,
        }


class Notifier:
    """All targets. Open it inside a task group's life: `run` owns the couriers' tasks."""

    def __init__(self, config: TrendsConfig, told: Told) -> None:
        self._config = config
        names = _names(config.targets)
        self.couriers = [
            Courier(name, target, config, told) for name, target in zip(names, config.targets, strict=True)
        ]
        self._wants_resolved = {name: target.resolved for name, target in zip(names, config.targets, strict=True)}

    @property
    def names(self) -> set[str]:
        """The targets' names."""
        return {courier.name for courier in self.couriers}

    def tell(self, incident: Incident) -> None:
        """Hand an incident to every target that does not know its state yet."""
        if incident.tier != "notify":
            return
        state = "open" if incident.resolved is None else "resolved"
        for courier in self.couriers:
            known = incident.told.get(courier.name)
            if known == state:
                continue
            if state == "resolved" and (not self._wants_resolved[courier.name] or incident.kind == "new_pattern"):
                incident.told[courier.name] = "resolved"
                continue
            courier.hand_in(incident, state)

    async def run(self) -> None:
        """Deliver for ever; cancel to stop."""
        timeout = aiohttp.ClientTimeout(total=self._config.timeout)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            for courier in self.couriers:
                tasks.create_task(courier.run(session))

    def figures(self) -> dict[str, Any]:
        """What `/stats` shows."""
        return {courier.name: courier.figures() for courier in self.couriers}


def _names(targets: list[Target]) -> list[str]:
    """A name for each target that stays the same while its kind and host do: `slack:hooks.slack.com`."""
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

"""The queue of one target: bounded, in order, with retries, quiet hours and digests."""

from __future__ import annotations

import asyncio
import logging
import random
import smtplib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.mail import send_mail
from log_aggregator_trends.message import Message, digest_of
from log_aggregator_trends.outgoing import outgoing
from log_aggregator_trends.target import Target

_QUEUE_SIZE = 200
_MAX_PAUSE = 300.0
_RETRIED_STATUSES = frozenset({408, 425, 429})
_FAILURES = (aiohttp.ClientError, smtplib.SMTPException, OSError, TimeoutError, ValueError)
"""A `ValueError` says that a header, an address or a password cannot be sent. It must not end the other targets."""

log = logging.getLogger(__name__)

OnDelivered = Callable[[str, str, str], Awaitable[None]]
"""Called with incident id, target and state after a notification was accepted, or its retries are exhausted."""


class TargetQueue:
    """Delivers notifications to one target in order, each until it is accepted or its retries are exhausted."""

    def __init__(
        self,
        name: str,
        target: Target,
        config: TrendsConfig,
        on_delivered: OnDelivered,
        clock: Callable[[], float] = time.time,
        *,
        passing: bool = False,
    ) -> None:
        """`passing`: it is told for a time only."""
        self.name = name
        self.passing = passing
        self.target = target
        self._config = config
        self._on_delivered = on_delivered
        self._clock = clock
        self._public_url = str(config.public_url or "")
        self._waiting: deque[Message] = deque()
        self._wake = asyncio.Event()
        self._gathers_until = 0.0
        self.sent = self.failed = self.dropped = 0
        self.last_error = ""

    def enqueue(self, message: Message) -> None:
        """Queue a notification unless it is queued already; when the queue is full, drop and count the oldest."""
        if any((entry.key, entry.state) == (message.key, message.state) for entry in self._waiting):
            return
        if len(self._waiting) >= _QUEUE_SIZE:
            self._waiting.popleft()
            self.dropped += 1
            log.error("notification dropped: queue full", extra={"target": self.name})
        self._waiting.append(message)
        self._wake.set()

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Deliver notifications until cancelled."""
        while True:
            while self._waiting:
                if (pause := self._pause()) > 0:
                    await asyncio.sleep(pause)
                    continue
                told = self._next()
                await self._deliver(session, digest_of(told, self._public_url))
                self._gathers_until = self._clock() + self.target.digest_minutes * 60
                for message in told:
                    if message in self._waiting:
                        self._waiting.remove(message)
                    await self._on_delivered(message.key, self.name, message.state)
            self._wake.clear()
            await self._wake.wait()

    def _pause(self) -> float:
        """Seconds until something may be sent, at most a minute: the clock may be set meanwhile."""
        now = self._clock()
        return min(60.0, max(self._gathers_until, self.target.quiet_until(now)) - now)

    def _next(self) -> list[Message]:
        """What is told at once: all that waits, where notifications were held back."""
        held = self.target.takes_digests and (self.target.digest_minutes or self.target.quiet_hours)
        return list(self._waiting) if held else [self._waiting[0]]

    async def _deliver(self, session: aiohttp.ClientSession, message: Message) -> None:
        for attempt in range(self._config.retries + 1):
            pause = min(_MAX_PAUSE, self._config.first_pause * 2.0**attempt)
            try:
                status, retry_after = await self._send(session, message)
            except _FAILURES as error:
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

    async def _send(self, session: aiohttp.ClientSession, message: Message) -> tuple[int, float]:
        if self.target.kind == "email":
            await asyncio.to_thread(send_mail, self.target, message, self._config.timeout)
            return 200, 0.0
        request = outgoing(self.target, message)
        headers = {"Content-Type": "application/json", **request.headers, **self.target.headers}
        async with session.request(
            request.method, request.url, data=request.body, headers=headers, allow_redirects=False
        ) as response:
            return response.status, _seconds(response.headers.get("Retry-After"))

    async def test(self, session: aiohttp.ClientSession, message: Message) -> str:
        """Send one notification now, once; what went wrong, or an empty text."""
        try:
            status, _ = await self._send(session, message)
        except _FAILURES as error:
            return type(error).__name__
        return "" if status < 300 else f"status {status}"

    def stats(self) -> dict[str, Any]:
        """This target's object in `GET /stats`."""
        return {
            "kind": self.target.kind,
            "sent": self.sent,
            "failed": self.failed,
            "dropped": self.dropped,
            "waiting": len(self._waiting),
            "last_error": self.last_error or None,
        }


def _seconds(retry_after: str | None) -> float:
    try:
        return max(0.0, float(retry_after or 0.0))
    except ValueError:
        return 0.0

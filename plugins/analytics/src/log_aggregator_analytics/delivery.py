"""One request to the analytics service: its deadlines, and what each answer means."""

from __future__ import annotations

import asyncio
import contextlib
import io
import math
import time
from collections import Counter
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from log_aggregator import RetryableError
from log_aggregator.sinks import PermanentError
from log_aggregator_analytics.config import AnalyticsConfig

MAX_ANSWER_BYTES = 65_536
"""Of an answer that are read, so that the connection can be used again; beyond it is closed."""

ANSWER_TIMEOUT = 1.0
"""Seconds to read an answer's body. The status has decided by then."""

LONGEST_RETRY_AFTER = 300.0
"""Seconds that the service may put us off."""

REFUSED_FOR_GOOD = frozenset({400, 413, 415, 422})
"""Answers about the body: the same body will be refused again."""


class Delivery:
    """Posts to one address. `close` it."""

    def __init__(self, config: AnalyticsConfig, ssl: Any) -> None:
        self._url = config.target
        self._timeout = config.timeout
        connector = aiohttp.TCPConnector(limit=2, ssl=ssl)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent",),
            timeout=aiohttp.ClientTimeout(total=config.timeout, connect=config.connect_timeout),
            headers={"User-Agent": "log-aggregator-analytics"},
        )
        self.requests = 0
        self.bytes_sent = 0
        self.answers: Counter[str] = Counter()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def post(self, body: bytes, headers: dict[str, str]) -> None:
        """Return when the service has answered 2xx. Raises `RetryableError` or `PermanentError`."""
        self.requests += 1
        self.bytes_sent += len(body)
        try:
            async with self._session.post(
                self._url, data=io.BytesIO(body), headers=headers, allow_redirects=False
            ) as response:
                self.answers[str(response.status)] += 1
                await _read_bounded(response)
        except TimeoutError:
            self.answers["timeout"] += 1
            raise RetryableError(f"{self._shown}: no answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            self.answers["failed"] += 1
            raise RetryableError(f"{self._shown}: {_reason(error)}") from None
        self._judge(response)

    def figures(self) -> dict[str, Any]:
        """What `/stats` shows: requests, bytes as sent, and how they were answered."""
        return {"requests": self.requests, "bytes_sent": self.bytes_sent, "answers": dict(self.answers)}

    def _judge(self, response: aiohttp.ClientResponse) -> None:
        status = response.status
        if 200 <= status < 300:
            return
        said = f"{self._shown}: answered {status}"
        if 300 <= status < 400:
            raise RetryableError(f"{said}, a redirect, which is not followed; set the final address")
        if status in REFUSED_FOR_GOOD:
            raise PermanentError(f"{said}: it does not take this batch")
        raise RetryableError(said, retry_after=seconds(response.headers.get("Retry-After")))

    @property
    def _shown(self) -> str:
        return f"{self._url.origin()}{self._url.path}"


async def _read_bounded(response: aiohttp.ClientResponse) -> None:
    left = MAX_ANSWER_BYTES
    with contextlib.suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while left > 0:
                chunk = await response.content.read(left)
                if not chunk:
                    return
                left -= len(chunk)
    response.close()


def seconds(header: str | None) -> float | None:
    """`Retry-After` in seconds, at most `LONGEST_RETRY_AFTER`; `None` when there is none or it is wrong."""
    if not header:
        return None
    try:
        wait = float(header)
    except ValueError:
        try:
            wait = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(wait, 0.0), LONGEST_RETRY_AFTER) if math.isfinite(wait) else None


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the name cannot be resolved"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"TLS: {getattr(error, 'certificate_error', error)}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {error.os_error.strerror or error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed without an answer"
    return type(error).__name__

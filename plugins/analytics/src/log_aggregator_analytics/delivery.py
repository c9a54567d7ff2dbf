"""Requests to the analytics service: deadlines, and the error for each kind of failure."""

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

MAX_RESPONSE_BYTES = 65_536
"""Bytes of a response body that are read to reuse the connection; with a longer body it is closed."""

RESPONSE_BODY_TIMEOUT = 1.0
"""Seconds to read a response body; the status alone decides the result."""

MAX_RETRY_AFTER = 300.0
"""Largest `Retry-After` in seconds that is honoured."""

PERMANENT_STATUSES = frozenset({400, 413, 415, 422})
"""Statuses that reject the body: a retry with the same body would fail too."""


class Delivery:
    """An HTTP client that POSTs to one URL. Call `close` at the end."""

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
        self.responses: Counter[str] = Counter()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def post(self, body: bytes, headers: dict[str, str]) -> None:
        """POST a body and return once the service responded 2xx. Raises `RetryableError` or `PermanentError`."""
        self.requests += 1
        self.bytes_sent += len(body)
        try:
            async with self._session.post(
                self._url, data=io.BytesIO(body), headers=headers, allow_redirects=False
            ) as response:
                self.responses[str(response.status)] += 1
                await _read_bounded(response)
        except TimeoutError:
            self.responses["timeout"] += 1
            raise RetryableError(f"{self._shown_url}: no response within {self._timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            self.responses["failed"] += 1
            raise RetryableError(f"{self._shown_url}: {_describe(error)}") from None
        self._raise_for_status(response)

    def stats(self) -> dict[str, Any]:
        """Requests, bytes sent, and responses by status, for `GET /stats`."""
        return {"requests": self.requests, "bytes_sent": self.bytes_sent, "answers": dict(self.responses)}

    def _raise_for_status(self, response: aiohttp.ClientResponse) -> None:
        status = response.status
        if 200 <= status < 300:
            return
        text = f"{self._shown_url}: status {status}"
        if 300 <= status < 400:
            raise RetryableError(f"{text}: redirects are not followed; set the final address")
        if status in PERMANENT_STATUSES:
            raise PermanentError(f"{text}: the service rejects this batch")
        raise RetryableError(text, retry_after=retry_after_seconds(response.headers.get("Retry-After")))

    @property
    def _shown_url(self) -> str:
        return f"{self._url.origin()}{self._url.path}"


async def _read_bounded(response: aiohttp.ClientResponse) -> None:
    left = MAX_RESPONSE_BYTES
    with contextlib.suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(RESPONSE_BODY_TIMEOUT):
            while left > 0:
                chunk = await response.content.read(left)
                if not chunk:
                    return
                left -= len(chunk)
    response.close()


def retry_after_seconds(header: str | None) -> float | None:
    """`Retry-After` in seconds, at most `MAX_RETRY_AFTER`; `None` when it is absent or invalid."""
    if not header:
        return None
    try:
        wait = float(header)
    except ValueError:
        try:
            wait = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(wait, 0.0), MAX_RETRY_AFTER) if math.isfinite(wait) else None


def _describe(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the name cannot be resolved"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"TLS: {getattr(error, 'certificate_error', error)}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {error.os_error.strerror or error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed without a response"
    return type(error).__name__

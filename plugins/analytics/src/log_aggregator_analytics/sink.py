"""The plugin: sends each flush to the analytics service, piece by piece."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from log_aggregator import ConfigError, RetryableError, Service, hookimpl
from log_aggregator.sinks import Flush
from log_aggregator_analytics.config import AnalyticsConfig
from log_aggregator_analytics.delivery import Delivery
from log_aggregator_analytics.document import Piece, cut_piece
from log_aggregator_analytics.request import compress, headers_of
from log_aggregator_analytics.trends import FlushTrends, TrendTracker


class _Progress:
    """The next item to send of the current flush, so that a retry does not repeat accepted pieces."""

    def __init__(self, identity: str, computed: FlushTrends) -> None:
        self.identity = identity
        self.computed = computed
        self.start = 0


class AnalyticsSink:
    """POSTs each flush as JSON, at least once; idempotency keys let the service count each piece once."""

    Config = AnalyticsConfig

    def __init__(self, config: AnalyticsConfig) -> None:
        self._config = config
        self._ssl = _trust(config)
        self._delivery: Delivery | None = None
        self._trends = TrendTracker(1, 0)
        self._progress: _Progress | None = None
        self._flushes = 0

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Open and close the HTTP client. It connects with the first flush, so the service may be down until then."""
        self._trends = TrendTracker(service.settings.aggregation_bucket, time.time())
        self._delivery = Delivery(self._config, self._ssl)
        service.add_stats("analytics", self._stats)
        try:
            yield
        finally:
            delivery, self._delivery = self._delivery, None
            await delivery.close()

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        """Send the flush; return once the service accepted every piece.

        Raises `RetryableError` or `PermanentError`. The next call for this flush continues at the failed piece.
        """
        delivery = self._delivery
        if delivery is None:
            raise RetryableError("analytics: the sink is closed")
        progress = await self._resume(flush)
        last = False
        while not last:
            piece, body, headers = await asyncio.to_thread(self._prepare, flush, progress)
            await delivery.post(body, headers)
            progress.start, last = piece.end, piece.last
        self._trends.commit(progress.computed)
        self._progress = None
        self._flushes += 1

    async def _resume(self, flush: Flush) -> _Progress:
        if self._progress is None or self._progress.identity != flush.identity:
            if flush.previous is None:
                self._trends.reset(flush.sealed / 1_000_000)
            computed = await asyncio.to_thread(self._trends.compute, flush)
            self._progress = _Progress(flush.identity, computed)
        return self._progress

    def _prepare(self, flush: Flush, progress: _Progress) -> tuple[Piece, bytes, dict[str, str]]:
        config = self._config
        piece = cut_piece(flush, progress.computed.trends, progress.start, config.max_request_bytes)
        body = compress(piece.body) if config.gzip else piece.body
        return piece, body, headers_of(config, piece.key, piece.body)

    def _stats(self) -> dict[str, Any]:
        delivery = self._delivery
        return {"flushes": self._flushes, **(delivery.stats() if delivery else {})}


def _trust(config: AnalyticsConfig) -> ssl.SSLContext | bool:
    if config.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(config.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"ca_file {config.ca_file}: expected readable PEM certificates: {error}") from None

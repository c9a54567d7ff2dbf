"""The sink 'webhook': posts the aggregates and the anomalies of each flush to an address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from log_aggregator import RetryableError, Service, hookimpl
from log_aggregator.sinks import Aggregate, Anomaly, Flush, PermanentError


class Webhook:
    """Posts each flush as one JSON document. The receiver may see a flush again, with the same identity."""

    api = ">=1,<2"

    class Config(BaseModel):
        """The options of `[plugins.webhook]`."""

        model_config = ConfigDict(extra="forbid")

        url: HttpUrl = Field(description="where the requests go")
        levels: list[str] = Field([], description="only aggregates of these levels; none: all")
        timeout: float = Field(10.0, gt=0, description="seconds for one request")

    def __init__(self, config: Config) -> None:
        self._url = str(config.url)
        self._levels = frozenset(level.upper() for level in config.levels)
        self._timeout = aiohttp.ClientTimeout(total=config.timeout)
        self._session: aiohttp.ClientSession | None = None

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Keep connections open while the service runs."""
        async with aiohttp.ClientSession(timeout=self._timeout) as self._session:
            yield

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        """Post the flush; return when the receiver has taken it."""
        rows = [_row(row) for row in flush.aggregates if not self._levels or row.level in self._levels]
        anomalies = [_anomaly(anomaly) for anomaly in flush.anomalies]
        if not rows and not anomalies:
            return
        assert self._session is not None
        document = {"flush": flush.identity, "aggregates": rows, "anomalies": anomalies}
        headers = {"Idempotency-Key": flush.identity}
        try:
            async with self._session.post(self._url, json=document, headers=headers) as answer:
                _judge(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RetryableError(f"webhook: {type(error).__name__}") from error


def _judge(answer: aiohttp.ClientResponse) -> None:
    if answer.status in {408, 429} or answer.status >= 500:
        wait = answer.headers.get("Retry-After", "")
        retry_after = float(wait) if wait.isascii() and wait.isdigit() else None
        raise RetryableError(f"webhook: the receiver answered {answer.status}", retry_after=retry_after)
    if not 200 <= answer.status < 300:
        raise PermanentError(f"webhook: the receiver answered {answer.status}")


def _row(aggregate: Aggregate) -> dict[str, Any]:
    return {
        "pattern": aggregate.pattern,
        "pattern_id": aggregate.pattern_id,
        "level": aggregate.level,
        "source": aggregate.source,
        "count": aggregate.count,
        "first_seen": aggregate.first_seen,
        "last_seen": aggregate.last_seen,
        "samples": aggregate.samples.messages,
    }


def _anomaly(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "id": anomaly.id,
        "kind": anomaly.kind,
        "state": anomaly.state,
        "tier": anomaly.tier,
        "pattern": anomaly.pattern,
        "level": anomaly.level,
        "source": anomaly.source,
        "started": anomaly.started,
        "score": anomaly.score,
        "details": anomaly.details,
    }

"""What of a decoded batch may pass: the sources a key allows, the rates of its client and its sources."""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from log_aggregator.config.settings import Settings
from log_aggregator.http.access.auth import KEY
from log_aggregator.http.access.clients import Clients
from log_aggregator.http.access.keys import ApiKey
from log_aggregator.http.access.rates import Rate
from log_aggregator.http.decoding.decode import Decoded
from log_aggregator.http.problem import Problem, busy
from log_aggregator.model.fields.sources import DEFAULT
from log_aggregator.model.record import Record


class Quota:
    """Looks at ingest requests: before the body is read, and when its logs are known."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ConfigError` when the trusted proxies are wrong."""
        self._clients = Clients(settings.trusted_proxies)
        burst = settings.rate_limit_burst
        self._client = Rate(settings.rate_limit_client, burst) if settings.rate_limit_client else None
        self._source = Rate(settings.rate_limit_source, burst) if settings.rate_limit_source else None
        self.is_limited = bool(settings.rate_limit_client or settings.rate_limit_source or settings.api_keys_file)

    def client_of(self, request: web.Request) -> str:
        """The client's address, as rates tell clients apart."""
        return self._clients.of(request)

    def check_client(self, request: web.Request) -> None:
        """Refuse a client that is over its rate. Raises `Problem` 429."""
        if self._client is not None:
            wait = self._client.wait(self._clients.of(request))
            if wait:
                raise busy(429, "this client sends more logs than it may (RATE_LIMIT_CLIENT)", wait)

    def passing(self, request: web.Request, decoded: Decoded) -> Decoded:
        """The batch without the logs that may not pass; the client and the sources are charged for the rest.

        Raises `Problem` when none may: 403 for the key's sources, 429 for the sources' rates.
        """
        if not self.is_limited:
            return decoded
        refusals = self._refusals(request.get(KEY), decoded.records)
        if refusals:
            decoded = _without(decoded, refusals)
        if self._client is not None:
            self._client.charge(self._clients.of(request), len(decoded.records))
        return decoded

    def _refusals(self, key: ApiKey | None, records: list[Record]) -> dict[str, str]:
        """Source → why its logs may not pass."""
        if key is not None and key.only_source:
            for record in records:
                if record.source == DEFAULT:
                    record.source = key.only_source
        counts = Counter([record.source for record in records])
        refusals = {
            source: f"source {source!r}: not allowed for this API key"
            for source in counts
            if key is not None and not key.may_send(source)
        }
        if refusals and len(refusals) == len(counts):
            raise Problem(403, next(iter(refusals.values())))
        if self._source is not None:
            refusals |= self._over_rate(self._source, {s: n for s, n in counts.items() if s not in refusals})
            if len(refusals) == len(counts):
                wait = max(self._source.wait(source) for source in counts)
                raise busy(429, "this source sends more logs than it may (RATE_LIMIT_SOURCE)", wait)
        return refusals

    def _over_rate(self, rate: Rate, counts: dict[str, int]) -> dict[str, str]:
        refusals = {}
        for source, logs in counts.items():
            wait = rate.wait(source)
            if wait:
                refusals[source] = f"source {source!r}: over its rate, try again in {wait:.0f} s"
            else:
                rate.charge(source, logs)
        return refusals


def _without(decoded: Decoded, refusals: dict[str, str]) -> Decoded:
    positions = decoded.positions or list(range(len(decoded.records)))
    kept: list[Record] = []
    places: list[int] = []
    rejected = list(decoded.rejected)
    for record, position in zip(decoded.records, positions, strict=True):
        if record.source in refusals:
            rejected.append((position, refusals[record.source]))
        else:
            kept.append(record)
            places.append(position)
    return Decoded(kept, rejected, places)

"""What of a batch may pass: the sources, rate and quota of its key, the rates of its client and its sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps

from aiohttp import web

from log_aggregator.config.settings import Settings
from log_aggregator.http.access.auth import KEY, Guard
from log_aggregator.http.access.keys import ApiKey
from log_aggregator.http.access.rates import Rate
from log_aggregator.http.decoding.decode import Decoded
from log_aggregator.http.problem import Problem, busy
from log_aggregator.model.fields.sources import DEFAULT
from log_aggregator.model.record import Record

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Passing = Callable[[list[Record]], list[Record]]
Refusing = Callable[[list[Record]], dict[int, str]]

_PASSING: ContextVar[Passing | None] = ContextVar("_PASSING", default=None)
"""What may pass of the records that a plugin's route takes in; `None` outside such a route."""

_REFUSING: ContextVar[Refusing | None] = ContextVar("_REFUSING", default=None)
"""The same of records that stand for many logs each."""


class Quota:
    """Looks at ingest requests: before the body is read, and when its logs are known."""

    def __init__(self, settings: Settings, guard: Guard) -> None:
        self._clients, self._ledger = guard.clients, guard.ledger
        burst = settings.rate_limit_burst
        self._client = Rate(settings.rate_limit_client, burst) if settings.rate_limit_client else None
        self._source = Rate(settings.rate_limit_source, burst) if settings.rate_limit_source else None
        self.is_limited = bool(settings.rate_limit_client or settings.rate_limit_source or settings.api_keys_file)

    def client_of(self, request: web.Request) -> str:
        """The client's address, as rates tell clients apart."""
        return self._clients.of(request)

    def check_client(self, request: web.Request) -> None:
        """Refuse a client or an API key that is over its rate or quota. Raises `Problem` 429."""
        if not self.is_limited:
            return
        if self._client is not None:
            wait = self._client.wait(self._clients.of(request))
            if wait:
                raise busy(429, "this client sends more logs than it may (RATE_LIMIT_CLIENT)", wait)
        key = request.get(KEY)
        if key is not None:
            wait = self._ledger.wait(key)
            if wait:
                raise busy(429, "this API key sends more logs than its rate allows", wait)
            if self._ledger.left(key) == 0:
                raise busy(429, "this API key has used up its daily quota of logs", self._ledger.until_tomorrow())

    def passing(self, request: web.Request, decoded: Decoded) -> Decoded:
        """The batch without the logs that may not pass; key, client and sources are charged for the rest.

        Raises `Problem` when none may: 403 for the key's sources, 429 for the sources' rates.
        """
        if not self.is_limited:
            return decoded
        key = request.get(KEY)
        refusals = self._refusals(key, decoded.records)
        if refusals:
            decoded = _without(decoded, refusals)
        if key is not None:
            decoded = self._within_quota(key, decoded)
        if self._client is not None:
            self._client.charge(self._clients.of(request), len(decoded.records))
        return decoded

    def around(self, handler: Handler) -> Handler:
        """A plugin's handler that takes logs in → the same, within the limits of the calls of the core.

        A `Problem` comes out of `service.ingest` when none of the logs may pass; see `passing_now`.
        """

        @wraps(handler)  # with what the guard looks for: scope, sources, credentials
        async def limited(request: web.Request) -> web.StreamResponse:
            self.check_client(request)
            token = _PASSING.set(lambda records: self.passing(request, Decoded(records, [], None)).records)
            refusing = _REFUSING.set(lambda records: self.refusing(request, records))
            try:
                return await handler(request)
            finally:
                _PASSING.reset(token)
                _REFUSING.reset(refusing)

        return limited

    def refusing(self, request: web.Request, records: list[Record]) -> dict[int, str]:
        """Why some of these records, each of which stands for `weight` logs, may not pass, by index.

        Logs of other sources than the key's are refused; a rate or quota refuses all, since the sender can wait.
        Raises `Problem` when none may pass: 403 for the key's sources, 429 for rates and quotas. The rest is charged.
        """
        key = request.get(KEY)
        if key is not None and key.only_source:
            for record in records:
                if record.source == DEFAULT:
                    record.source = key.only_source
        refused = {
            index: f"source {record.source!r}: not allowed for this API key"
            for index, record in enumerate(records)
            if key is not None and not key.covers(record.source)
        }
        if refused and len(refused) == len(records):
            raise Problem(403, next(iter(refused.values())))
        logs: Counter[str] = Counter()
        for index, record in enumerate(records):
            if index not in refused:
                logs[record.source] += record.weight
        self._charge(request, key, logs)
        return refused

    def _charge(self, request: web.Request, key: ApiKey | None, logs: Counter[str]) -> None:
        total = logs.total()
        if key is not None and (left := self._ledger.left(key)) is not None and left < total:
            raise busy(429, "over the API key's daily quota", self._ledger.until_tomorrow())
        if self._source is not None:
            wait = max((self._source.wait(source) for source in logs), default=0.0)
            if wait:
                raise busy(429, "a source sends more logs than it may (RATE_LIMIT_SOURCE)", wait)
            for source, count in logs.items():
                self._source.charge(source, count)
        if key is not None:
            self._ledger.charge(key, total, logs=True)
        if self._client is not None:
            self._client.charge(self._clients.of(request), total)

    def _within_quota(self, key: ApiKey, decoded: Decoded) -> Decoded:
        left = self._ledger.left(key)
        if left is not None and left < len(decoded.records):
            positions = decoded.positions or list(range(len(decoded.records)))
            over = [(position, "over the API key's daily quota") for position in positions[left:]]
            decoded = Decoded(decoded.records[:left], [*decoded.rejected, *over], positions[:left])
        self._ledger.charge(key, len(decoded.records), logs=True)
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
            if key is not None and not key.covers(source)
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


def passing_now(records: list[Record]) -> list[Record]:
    """The records that may pass where a plugin's route takes them in: by its request's key, client and sources.

    Outside such a route all may. Raises `Problem` when none may.
    """
    passing = _PASSING.get()
    return records if passing is None or not records else passing(records)


def refused_now(records: list[Record]) -> dict[int, str]:
    """As `passing_now`, of records that stand for `weight` logs each: why some may not pass, by index."""
    refusing = _REFUSING.get()
    return {} if refusing is None or not records else refusing(records)


@contextmanager
def passed() -> Iterator[None]:
    """In this block `service.ingest` takes all records: the caller has asked `Quota.passing` itself."""
    token = _PASSING.set(None)
    try:
        yield
    finally:
        _PASSING.reset(token)


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

"""The calls that read what is stored: patterns, timelines, series and anomalies."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from log_aggregator.errors import RetryableError
from log_aggregator.http.access.auth import allowed_sources, needs
from log_aggregator.http.backend import Backend
from log_aggregator.http.parameters import (
    AnomalyParameters,
    Parameters,
    PatternParameters,
    SeriesParameters,
    TimelineParameters,
    parameters,
)
from log_aggregator.http.problem import Problem, busy
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.store import AnomalyQuery, PatternQuery, PatternRow, Series, SeriesQuery, Store

DEADLINE = 10.0
"""Seconds that the store has for one answer."""

_ID = re.compile(r"[0-9a-f]{16}")
_TIMES = ("started", "updated", "resolved")
_log = logging.getLogger(__name__)

T = TypeVar("T")


class Reading:
    """The handlers of the calls that read the store."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @needs("read", by_source=True)
    async def patterns(self, request: web.Request) -> web.StreamResponse:
        """`GET /patterns`."""
        asked = parameters(request, PatternParameters)
        query = PatternQuery(**asked.model_dump(), sources=self._sources(request, asked.source))
        try:
            page = await _answer(self._store().patterns(query))
        except ValueError:
            if query.cursor is None:
                raise
            raise Problem(422, "cursor: not one of ours; expected the 'cursor' of the page before") from None
        return _json({"patterns": [pattern_json(row) for row in page.patterns], "cursor": page.cursor})

    @needs("read", by_source=True)
    async def pattern(self, request: web.Request) -> web.StreamResponse:
        """`GET /patterns/{id}`."""
        parameters(request, Parameters)
        return _json(pattern_json(await self._known(request)))

    @needs("read", by_source=True)
    async def timeline(self, request: web.Request) -> web.StreamResponse:
        """`GET /patterns/{id}/timeline`."""
        asked = parameters(request, TimelineParameters)
        since, until = asked.span()
        pattern = await self._known(request)
        fields = asked.model_dump(exclude={"since", "until"})
        sources = self._sources(request, asked.source)
        query = SeriesQuery(since=since, until=until, pattern_id=pattern.pattern_id, sources=sources, **fields)
        return _json({"pattern_id": pattern.pattern_id, **await self._series(query)})

    @needs("read", by_source=True)
    async def series(self, request: web.Request) -> web.StreamResponse:
        """`GET /series`."""
        asked = parameters(request, SeriesParameters)
        since, until = asked.span()
        sources = self._sources(request, asked.source)
        query = SeriesQuery(since=since, until=until, sources=sources, **asked.model_dump(exclude={"since", "until"}))
        return _json(await self._series(query))

    @needs("read", by_source=True)
    async def anomalies(self, request: web.Request) -> web.StreamResponse:
        """`GET /anomalies`."""
        asked = parameters(request, AnomalyParameters)
        query = AnomalyQuery(**asked.model_dump(), sources=self._sources(request, asked.source))
        found = await _answer(self._store().anomalies(query))
        if query.sources:  # the details of a pattern's anomaly count its logs of all sources
            found = [anomaly | {"details": {}} for anomaly in found]
        return _json({"anomalies": [anomaly_json(anomaly) for anomaly in found]})

    async def _known(self, request: web.Request) -> PatternRow:
        pattern_id = request.match_info["id"]
        if not _ID.fullmatch(pattern_id):
            raise Problem(404, "no such pattern: an id is 16 hex digits, as in GET /patterns")
        sources = self._sources(request)
        store = self._store()
        # A store from before `by_source` does not know the argument.
        pattern = await _answer(store.pattern(pattern_id, sources=sources) if sources else store.pattern(pattern_id))
        if pattern is None:
            raise Problem(404, f"no pattern has the id {pattern_id}")
        return pattern

    async def _series(self, query: SeriesQuery) -> dict[str, Any]:
        found = await _answer(self._store().series(query))
        return {
            "since": to_iso(query.since),
            "until": to_iso(query.until),
            "step": query.step,
            "series": [series_json(one) for one in found],
        }

    def _sources(self, request: web.Request, source: str | None = None) -> tuple[str, ...]:
        """The sources that the answer may tell of. Raises `Problem` 403 where the store cannot tell them apart."""
        sources = allowed_sources(request, source)
        if sources and not getattr(self._store(), "by_source", False):
            raise Problem(403, "this API key is bound to some sources, and this store cannot answer for these alone")
        return sources

    def _store(self) -> Store:
        store = self._backend.store
        if store is None:
            detail = (
                "no store is enabled, so there is nothing to read; name one in plugins.toml, such as [plugins.sqlite]"
            )
            raise Problem(503, detail)
        return store


async def _answer(question: Awaitable[T]) -> T:
    """What the store answers. Raises `Problem` 503 when it is out of reach or takes too long."""
    try:
        async with asyncio.timeout(DEADLINE):
            return await question
    except RetryableError as error:
        _log.warning("the store is out of reach: %s", error)
        raise busy(503, "the store is out of reach; logs are still taken", error.retry_after or 5.0) from None
    except TimeoutError:
        raise busy(503, f"the store took longer than {DEADLINE:g} s; ask for less, or later", 5.0) from None


def pattern_json(row: PatternRow) -> dict[str, Any]:
    """A pattern with its times as ISO 8601."""
    fields = row.model_dump()
    fields["first_seen"] = to_iso(row.first_seen)
    fields["last_seen"] = to_iso(row.last_seen)
    for log in fields.get("sample_logs", ()):
        log["time"] = to_iso(log["time"])
    return fields


def series_json(series: Series) -> dict[str, Any]:
    """A series with its times as ISO 8601."""
    points = [{"start": to_iso(start * 1_000_000), "count": count} for start, count in series.points]
    return {"name": series.name, "total": series.total, "points": points}


def anomaly_json(anomaly: dict[str, Any]) -> dict[str, Any]:
    """An anomaly with its times as ISO 8601."""
    times = {name: to_iso(anomaly[name]) for name in _TIMES if isinstance(anomaly.get(name), int)}
    return anomaly | times


def _json(document: dict[str, Any]) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")

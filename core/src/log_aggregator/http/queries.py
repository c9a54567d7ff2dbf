"""The calls that read what is stored: patterns, timelines, series and anomalies."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from aiohttp import web

from log_aggregator.http.access.auth import needs
from log_aggregator.http.backend import Backend
from log_aggregator.http.exporting import exported
from log_aggregator.http.parameters import (
    AnomalyParameters,
    Parameters,
    PatternParameters,
    SeriesParameters,
    TimelineParameters,
    parameters,
)
from log_aggregator.http.problem import Problem
from log_aggregator.http.searching import Searching, pattern_json
from log_aggregator.http.store_access import StoreAccess, answered
from log_aggregator.http.time_params import now
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.search import SearchError
from log_aggregator.store import AnomalyQuery, PatternQuery, PatternRow, Series, SeriesQuery

_ID = re.compile(r"[0-9a-f]{16}")
_TIMES = ("started", "updated", "resolved")


class Reading:
    """The handlers of the calls that read the store."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._access = StoreAccess(backend)
        self._searching = Searching(backend, self._access)

    @needs("read", by_source=True)
    async def patterns(self, request: web.Request) -> web.StreamResponse:
        """`GET /patterns`."""
        asked = parameters(request, PatternParameters, await self._access.times(request))
        sources = self._access.sources(request, asked.source)
        query = PatternQuery(**asked.model_dump(exclude={"triage", "format"}), sources=sources)
        if asked.format != "json":
            most = asked.limit if "limit" in asked.model_fields_set else None
            return await exported(request, asked.format, self._searching.pages(query, asked.triage, most))
        return _json(await self._searching.patterns(query, asked.triage))

    @needs("read", by_source=True)
    async def pattern(self, request: web.Request) -> web.StreamResponse:
        """`GET /patterns/{id}`."""
        parameters(request, Parameters)
        pattern = await known_pattern(self._access, request)
        return _json(pattern_json(pattern) | {"triage": await self._searching.triage_of(pattern)})

    @needs("read", by_source=True)
    async def timeline(self, request: web.Request) -> web.StreamResponse:
        """`GET /patterns/{id}/timeline`."""
        asked = parameters(request, TimelineParameters, await self._access.times(request))
        since, until = asked.span()
        pattern = await known_pattern(self._access, request)
        fields = asked.model_dump(exclude={"since", "until"})
        sources = self._access.sources(request, asked.source)
        query = SeriesQuery(since=since, until=until, pattern_id=pattern.pattern_id, sources=sources, **fields)
        return _json({"pattern_id": pattern.pattern_id, **await self._series(query)})

    @needs("read", by_source=True)
    async def series(self, request: web.Request) -> web.StreamResponse:
        """`GET /series`."""
        asked = parameters(request, SeriesParameters, await self._access.times(request))
        since, until = asked.span()
        sources = self._access.sources(request, asked.source)
        query = SeriesQuery(since=since, until=until, sources=sources, **asked.model_dump(exclude={"since", "until"}))
        if query.q is None:
            return _json(await self._series(query))
        self._access.on_call()  # a store without this knows no search of series
        try:
            return _json(await self._series(query))
        except SearchError as error:
            raise Problem(422, f"q: {error}") from None

    @needs("read", by_source=True)
    async def anomalies(self, request: web.Request) -> web.StreamResponse:
        """`GET /anomalies`."""
        asked = parameters(request, AnomalyParameters, await self._access.times(request))
        query = AnomalyQuery(**asked.model_dump(), sources=self._access.sources(request, asked.source))
        found = await answered(self._access.store().anomalies(query))
        if query.sources:  # the details of a pattern's anomaly count its logs of all sources
            found = [anomaly | {"details": {}} for anomaly in found]
        learning = learning_json(await self._backend.stats())
        return _json({"anomalies": [anomaly_json(anomaly) for anomaly in found], "learning": learning})

    async def _series(self, query: SeriesQuery) -> dict[str, Any]:
        found = await answered(self._access.store().series(query))
        return {
            "since": to_iso(query.since),
            "until": to_iso(query.until),
            "step": query.step,
            "series": [series_json(one) for one in found],
        }


async def known_pattern(access: StoreAccess, request: web.Request) -> PatternRow:
    """The pattern that a path names. Raises `Problem` 404."""
    pattern_id = request.match_info["id"]
    if not _ID.fullmatch(pattern_id):
        raise Problem(404, "no such pattern: an id is 16 hex digits, as in GET /patterns")
    sources = access.sources(request)
    store = access.store()
    # A store from before `by_source` does not know the argument.
    pattern = await answered(store.pattern(pattern_id, sources=sources) if sources else store.pattern(pattern_id))
    if pattern is None:
        raise Problem(404, f"no pattern has the id {pattern_id}")
    return pattern


def series_json(series: Series) -> dict[str, Any]:
    """A series with its times as ISO 8601."""
    points = [{"start": to_iso(start * 1_000_000), "count": count} for start, count in series.points]
    return {"name": series.name, "total": series.total, "points": points}


def anomaly_json(anomaly: dict[str, Any]) -> dict[str, Any]:
    """An anomaly with its times as ISO 8601."""
    times = {name: to_iso(anomaly[name]) for name in _TIMES if isinstance(anomaly.get(name), int)}
    return anomaly | times


def learning_json(stats: dict[str, Any]) -> dict[str, Any] | None:
    """Until when a plugin learns what is usual: `learning` in its figures, with times in microseconds."""
    for plugin in stats.get("plugins", {}).values():
        learning = plugin.get("figures", {}).get("learning")
        if isinstance(learning, dict) and isinstance(learning.get("until"), int):
            left = max(0, (learning["until"] - now()) // 1_000_000)
            return {
                "started": to_iso(learning["started"]),
                "until": to_iso(learning["until"]),
                "seconds_left": left,
                "alarms": learning.get("alarms", []),
                "kinds": learning.get("kinds", []),
                "error_share": learning.get("error_share"),
            }
    return None


def _json(document: dict[str, Any]) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")

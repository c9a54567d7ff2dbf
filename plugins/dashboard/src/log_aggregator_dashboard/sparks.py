"""The counts over time of several patterns in one answer, for the small charts of a list."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from aiohttp import web
from pydantic import Field

from log_aggregator import Service
from log_aggregator.errors import RetryableError
from log_aggregator.http.access.auth import allowed_sources, needs
from log_aggregator.http.parameters import Span, TimelineParameters, parameters
from log_aggregator.http.problem import Problem, busy
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.store import SeriesQuery, Store

MOST = 100
"""Patterns of one answer."""

AT_ONCE = 4
"""Questions to the store at a time."""

DEADLINE = 10.0
"""Seconds that the store has for one answer."""

Ids = Annotated[str, Field(pattern=r"^[0-9a-f]{16}(,[0-9a-f]{16})*$", max_length=17 * MOST)]


class SparksParameters(TimelineParameters):
    """`GET /dashboard/sparks`."""

    ids: Ids = Field(description="ids of patterns, separated by commas")
    split_by: None = None


class Sparks:
    """Answers `GET /dashboard/sparks`. It asks the store what `GET /patterns/{id}/timeline` would ask for each id."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @needs("read", by_source=True)
    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The series of each pattern, by its id. Raises `Problem`."""
        asked = parameters(request, SparksParameters)
        since, until = asked.span()
        store = self._service.store
        if store is None:
            raise Problem(503, "no store is enabled, so there is nothing to read")
        sources = allowed_sources(request, asked.source)
        if sources and not getattr(store, "by_source", False):
            raise Problem(403, "this API key is bound to some sources, and this store cannot answer for these alone")
        plain = {"since": since, "until": until, **asked.model_dump(exclude={*Span.model_fields, "ids"})}
        queries = [
            SeriesQuery(pattern_id=pattern_id, sources=sources, **plain)
            for pattern_id in dict.fromkeys(asked.ids.split(","))
        ]
        try:
            async with asyncio.timeout(DEADLINE):
                found = await _ask(store, queries)
        except RetryableError as error:
            raise busy(503, "the store is out of reach; logs are still taken", error.retry_after or 5.0) from None
        except TimeoutError:
            raise busy(503, f"the store took longer than {DEADLINE:g} s; ask for less, or later", 5.0) from None
        body = {"since": to_iso(since), "until": to_iso(until), "step": asked.step, "series": found}
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")


async def _ask(store: Store, queries: list[SeriesQuery]) -> dict[str, Any]:
    places = asyncio.Semaphore(AT_ONCE)
    found: dict[str, Any] = {}

    async def ask(query: SeriesQuery) -> None:
        async with places:
            series = await store.series(query)
        points = [{"start": to_iso(start * 1_000_000), "count": count} for one in series for start, count in one.points]
        found[str(query.pattern_id)] = {"name": "", "points": points}

    async with asyncio.TaskGroup() as tasks:
        for query in queries:
            tasks.create_task(ask(query))
    return found

"""The calls for a person on call: marks, triage, what changed, and what becomes of a line."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from aiohttp import web

from log_aggregator.http.access.auth import KEY, allowed_sources, caller, needs
from log_aggregator.http.backend import Backend
from log_aggregator.http.json_body import json_body
from log_aggregator.http.on_call_json import change_json, mark_json, triage_json
from log_aggregator.http.on_call_params import (
    CompareParameters,
    ExplainParameters,
    MarkBody,
    MarkParameters,
    TriageBody,
    TriageListParameters,
    ValuesParameters,
)
from log_aggregator.http.parameters import Parameters, parameters
from log_aggregator.http.problem import Problem
from log_aggregator.http.queries import known_pattern
from log_aggregator.http.store_access import StoreAccess, answered, slug_of
from log_aggregator.http.time_params import now
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.oncall import CompareQuery, Mark, MarkQuery, Triage, TriageChange, ValuesQuery, ValuesStore
from log_aggregator.search import SearchError
from log_aggregator.store import SeriesQuery

HOUR = 3_600_000_000
_LISTS = ("new", "gone", "more", "less", "levels", "values")


class OnCall:
    """The handlers."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._access = StoreAccess(backend)

    @needs("read", by_source=True)
    async def marks(self, request: web.Request) -> web.StreamResponse:
        """`GET /marks`."""
        asked = parameters(request, MarkParameters, await self._access.times(request))
        found = await answered(self._access.on_call().marks(MarkQuery(**asked.model_dump())))
        key = request.get(KEY)
        if key is not None and key.sources:
            found = [mark for mark in found if not mark.source or key.covers(mark.source)]
        return _json({"marks": [mark_json(mark) for mark in found]})

    @needs("write", by_source=True)
    async def add_mark(self, request: web.Request) -> web.StreamResponse:
        """`POST /marks`."""
        body = await json_body(request, MarkBody)
        if allowed_sources(request, body.source or None) and not body.source:
            raise Problem(403, "source: this API key is bound to some sources; expected one of them")
        slug = slug_of(body.title)
        if not slug:
            raise Problem(422, "title: expected a letter or a digit, for its name in queries")
        at = now() if body.at is None else body.at
        by = _who(request, body.by)
        mark = Mark(
            id=secrets.token_hex(8), slug=slug, title=body.title, at=at, source=body.source, url=body.url, by=by
        )
        await answered(self._access.on_call().add_mark(mark))
        return _json(mark_json(mark), 201)

    @needs("write")
    async def remove_mark(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /marks/{id}`."""
        parameters(request, Parameters)
        if not await answered(self._access.on_call().remove_mark(request.match_info["id"])):
            raise Problem(404, "no such mark: an id is 16 hex digits, as in GET /marks")
        return web.Response(status=204)

    @needs("read")
    async def triage_list(self, request: web.Request) -> web.StreamResponse:
        """`GET /triage`."""
        asked = parameters(request, TriageListParameters)
        found = [one.at(now()) for one in (await answered(self._access.on_call().triage())).values()]
        if asked.state is not None:
            found = [one for one in found if one.state == asked.state]
        found.sort(key=lambda one: (-one.changed_at, one.pattern_id))
        return _json({"triage": [triage_json(one) for one in found[: asked.limit]]})

    @needs("read", by_source=True)
    async def triage(self, request: web.Request) -> web.StreamResponse:
        """`GET /patterns/{id}/triage`."""
        parameters(request, Parameters)
        pattern = await known_pattern(self._access, request)
        stored = await answered(self._access.on_call().triage(pattern.pattern_id))
        triage = stored.get(pattern.pattern_id, Triage(pattern_id=pattern.pattern_id))
        return await self._with_history(triage.at(now(), pattern.last_seen))

    @needs("write", by_source=True)
    async def change_triage(self, request: web.Request) -> web.StreamResponse:
        """`POST /patterns/{id}/triage`."""
        body = await json_body(request, TriageBody)
        pattern = await known_pattern(self._access, request)
        await self._check_all_covered(request, pattern.pattern_id)
        at = now()
        fields: dict[str, Any] = body.model_dump(include={"name", "note", "owner"}, exclude_none=True)
        if body.state is not None:
            fields |= {"state": body.state, "muted_until": None, "mute_times": None, "mute_rate": None}
            fields |= {"resolved_at": at if body.state == "resolved" else None, "returned_at": None}
        if body.mute_until is not None:
            if body.mute_until <= at:
                raise Problem(422, "mute_until: expected a time to come, such as +2h")
            fields["muted_until"] = body.mute_until
        if body.mute_times is not None:
            rate = await self._rate(pattern.pattern_id, pattern.first_seen, at)
            fields |= {"mute_times": body.mute_times, "mute_rate": rate}
        change = TriageChange(at=at, by=_who(request, body.by), fields=fields)
        changed = await answered(self._access.on_call().change_triage(pattern.pattern_id, change))
        return await self._with_history(changed.at(at))

    async def _check_all_covered(self, request: web.Request, pattern_id: str) -> None:
        """Triage holds for all logs of a pattern. Raises `Problem` 403 when the key does not cover all its sources."""
        key = request.get(KEY)
        if key is None or not key.sources:
            return
        whole = await answered(self._access.store().pattern(pattern_id))
        if whole is not None and not all(key.covers(source) for source in whole.sources):
            raise Problem(403, "this pattern has logs of sources that this API key is not bound to")

    async def _rate(self, pattern_id: str, first_seen: int, at: int) -> float:
        """Logs an hour of a pattern on the last day, or since it was first seen; at least one."""
        since = max(at - 24 * HOUR, min(first_seen, at - HOUR))
        query = SeriesQuery(since=since, until=at, step=300, pattern_id=pattern_id)
        found = await answered(self._access.store().series(query))
        return round(max(1.0, sum(one.total for one in found) / ((at - since) / HOUR)), 3)

    async def _with_history(self, triage: Triage) -> web.Response:
        history = await answered(self._access.on_call().triage_history(triage.pattern_id))
        return _json(triage_json(triage) | {"history": [change_json(change) for change in history]})

    @needs("read", by_source=True)
    async def compare(self, request: web.Request) -> web.StreamResponse:
        """`GET /compare`."""
        asked = parameters(request, CompareParameters, await self._access.times(request))
        since, until = asked.since, asked.until
        if asked.after is not None:
            if since is not None or until is not None:
                raise Problem(422, "after: says the same as since and until; expected one of both")
            since, until = await self._span(asked.after, "after")
        until = now() if until is None else until
        since = max(0, until - HOUR) if since is None else since
        before = (asked.before_since, asked.before_until)
        if asked.before is not None:
            if before != (None, None):
                raise Problem(422, "before: says the same as before_since and before_until; expected one of both")
            before = await self._span(asked.before, "before", until=since)
        before_until = since if before[1] is None else before[1]
        before_since = max(0, before_until - (until - since)) if before[0] is None else before[0]
        if since >= until or before_since >= before_until:
            raise Problem(422, "since: expected a time before 'until', in both spans")
        query = CompareQuery(
            before_since=before_since, before_until=before_until, since=since, until=until, level=asked.level,
            source=asked.source, q=asked.q, limit=asked.limit, sources=self._access.sources(request, asked.source),
        )  # fmt: skip
        store = self._access.on_call()
        try:
            found = await answered(store.compare(query))
        except SearchError as error:
            raise Problem(422, f"q: {error}") from None
        triaged = await answered(store.triage())
        document = found.model_dump(exclude={*_LISTS, "logs_before", "logs_after"})
        document["before"] = {"since": to_iso(before_since), "until": to_iso(before_until), "logs": found.logs_before}
        document["after"] = {"since": to_iso(since), "until": to_iso(until), "logs": found.logs_after}
        for name in _LISTS:
            document[name] = [_change(change.model_dump(), triaged) for change in getattr(found, name)]
        return _json(document)

    @needs("read", by_source=True)
    async def values(self, request: web.Request) -> web.StreamResponse:
        """`GET /values`."""
        asked = parameters(request, ValuesParameters, await self._access.times(request))
        store = self._access.store()
        if not isinstance(store, ValuesStore):
            raise Problem(501, "this store does not count by value")
        since = now() - HOUR if asked.since is None and asked.until is None else asked.since
        sources = self._access.sources(request, asked.source)
        query = ValuesQuery(**asked.model_dump() | {"since": since}, sources=sources)
        try:
            return _json((await answered(store.values(query))).model_dump())
        except SearchError as error:
            raise Problem(422, f"q: {error}") from None

    async def _span(self, text: str, name: str, until: int | None = None) -> tuple[int, int | None]:
        """`A..B`, or a start alone."""
        start, separator, end = text.partition("..")
        since = await self._access.moment(start.strip(), name)
        return since, (await self._access.moment(end.strip(), name) if separator else until)

    @needs("read")
    async def explain(self, request: web.Request) -> web.StreamResponse:
        """`GET /explain`."""
        asked = parameters(request, ExplainParameters)
        return _json(await self._backend.explain(asked.line))


def _change(change: dict[str, Any], triaged: dict[str, Triage]) -> dict[str, Any]:
    change["first_seen"] = None if change["first_seen"] is None else to_iso(change["first_seen"])
    triage = triaged.get(change["pattern_id"])
    change["triage"] = triage_json(triage.at(now())) if triage else None
    return change


def _who(request: web.Request, said: str) -> str:
    """Who changes something: the API key's name, or what the caller says where keys are off."""
    return caller(request) or said


def _json(document: dict[str, Any], status: int = 200) -> web.Response:
    body = msgspec.json.encode(document)
    return web.Response(
        body=body, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )

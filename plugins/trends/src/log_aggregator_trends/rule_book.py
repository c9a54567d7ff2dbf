"""The rules of `plugins.toml` and those that people made on the page, and the calls for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web
from pydantic import Field

from log_aggregator import RetryableError, Service
from log_aggregator.config.rules import MOST_RULES, Rule
from log_aggregator.hookspecs import RouteScope, State
from log_aggregator.http.access.auth import caller
from log_aggregator.http.json_body import json_body
from log_aggregator.http.problem import Problem, busy
from log_aggregator.http.store_access import answered
from log_aggregator.http.time_params import Moment
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator.oncall import OnCallStore
from log_aggregator.store import SeriesQuery, Store
from log_aggregator_trends.past import alarms_of
from log_aggregator_trends.rules import rule_id

ROUTES: tuple[tuple[str, str, RouteScope], ...] = (
    ("GET", "/rules", "read"),
    ("POST", "/rules", "write"),
    ("POST", "/rules/test", "read"),
    ("DELETE", "/rules/{id}", "write"),
)
"""The calls: method, path and the scope that each needs."""

_WEEK = 7 * 86_400_000_000
_MICROS = 1_000_000
_SHOWN = 20


class _Kept(msgspec.Struct):
    """A rule that a person made."""

    rule: dict[str, Any]
    by: str
    at: int


class _NewRule(Rule):
    by: str = Field("", max_length=200, description="who; with API keys, the key's name stands there instead")

    @property
    def rule(self) -> Rule:
        """What is evaluated."""
        return Rule.model_validate(self.model_dump(exclude={"by", "since"}))


class _TriedRule(_NewRule):
    since: Moment | None = Field(None, description="from this time on; at most seven days ago, the default")


class RuleBook:
    """All rules. `changed` is called with them whenever they change."""

    def __init__(self, of_file: list[Rule], state: State, resolve_minutes: int) -> None:
        self._of_file = of_file
        self._state = state
        self._resolve_minutes = resolve_minutes
        self._kept: list[_Kept] = []
        self._changing = asyncio.Lock()
        self._store: Callable[[], Store | None] = lambda: None
        self._changed: Callable[[list[Rule]], None] = lambda _: None

    @classmethod
    async def open(cls, of_file: list[Rule], state: State, resolve_minutes: int) -> RuleBook:
        """Load what people made. Raises `RetryableError`."""
        book = cls(of_file, state, resolve_minutes)
        saved = await state.load()
        book._kept = msgspec.json.decode(saved, type=list[_Kept]) if saved else []
        return book

    @property
    def rules(self) -> list[Rule]:
        """All rules, those of the file first."""
        return [*self._of_file, *(Rule.model_validate(kept.rule) for kept in self._kept)]

    def serve(self, service: Service, changed: Callable[[list[Rule]], None]) -> None:
        """Add the calls."""
        self._store = lambda: service.store
        self._changed = changed
        handlers = (self._list, self._add, self._test, self._remove)
        for (method, path, scope), handler in zip(ROUTES, handlers, strict=True):
            service.add_route(method, path, handler, scope=scope)

    async def _list(self, _request: web.Request) -> web.StreamResponse:
        found = [_json(rule, "plugins.toml") for rule in self._of_file]
        found += [_json(Rule.model_validate(kept.rule), "page", kept) for kept in self._kept]
        return web.json_response({"rules": found})

    async def _add(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request, _NewRule)
        kept = _Kept(body.rule.model_dump(exclude_none=True), _who(request, body.by), time.time_ns() // 1000)
        async with self._changing:
            rules = self.rules
            if any(rule.title == body.title for rule in rules):
                raise Problem(422, f"name: there is a rule {body.title!r} already; expected another name")
            if len(rules) >= MOST_RULES:
                raise Problem(422, f"expected at most {MOST_RULES} rules; delete one")
            await self._keep([*self._kept, kept])
        return web.json_response(_json(body.rule, "page", kept), status=201)

    async def _remove(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        if any(rule_id(rule) == name for rule in self._of_file):
            raise Problem(422, "this rule stands in plugins.toml; expected one that was made on the page")
        async with self._changing:
            left = [kept for kept in self._kept if rule_id(Rule.model_validate(kept.rule)) != name]
            if len(left) == len(self._kept):
                raise Problem(404, "no such rule: an id is 16 hex digits, as in GET /rules")
            await self._keep(left)
        return web.Response(status=204)

    async def _test(self, request: web.Request) -> web.StreamResponse:
        body = await json_body(request, _TriedRule)
        until = time.time_ns() // 1000
        since = max(body.since or 0, until - _WEEK)
        if since >= until:
            raise Problem(422, "since: expected a time before now")
        store = self._store()
        if store is None or not isinstance(store, OnCallStore):
            raise Problem(501, "this store cannot search series, so a rule cannot be tested on the past")
        series = await answered(store.series(SeriesQuery(since=since, until=until, step=60, q=body.search)))
        points = series[0].points if series else []
        starts = alarms_of(body.rule, points, until // _MICROS, self._resolve_minutes)
        most = max((logs for _, logs in points), default=0)
        return web.json_response(
            {
                "since": to_iso(since),
                "until": to_iso(until),
                "logs": sum(logs for _, logs in points),
                "most_in_a_minute": most,
                "alarms": len(starts),
                "newest": [to_iso(start * _MICROS) for start in starts[-_SHOWN:]][::-1],
            }
        )

    async def _keep(self, kept: list[_Kept]) -> None:
        try:
            await self._state.save(msgspec.json.encode(kept))
        except RetryableError:
            raise busy(503, "the rule cannot be kept now; try again", 5.0) from None
        self._kept = kept
        self._changed(self.rules)


def _who(request: web.Request, said: str) -> str:
    return caller(request) or said


def _json(rule: Rule, place: str, kept: _Kept | None = None) -> dict[str, Any]:
    document = {"id": rule_id(rule), "from": place, **rule.model_dump(), "name": rule.title}
    if rule.more_than is not None:
        document["within"] = rule.within or "5m"
    return document | ({"by": kept.by, "at": to_iso(kept.at)} if kept else {})

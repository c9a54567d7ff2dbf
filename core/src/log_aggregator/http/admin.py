"""The calls for whoever operates the service: flush, figures and health."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from log_aggregator.http.access.auth import Guard, needs
from log_aggregator.http.access.exposure import access_of
from log_aggregator.http.backend import Backend
from log_aggregator.http.parameters import FlushParameters, Parameters, parameters
from log_aggregator.store import StoreHealth

STORE_DEADLINE = 5.0
"""Seconds that the store has to say how it is."""


class Operating:
    """The handlers of the calls for operation."""

    def __init__(self, backend: Backend, guard: Guard) -> None:
        self._guard = guard
        self._backend = backend
        self._access = access_of(backend.settings)

    async def flush(self, request: web.Request) -> web.StreamResponse:
        """`POST /flush`: seal, and wait for the sinks or the deadline."""
        deadline = parameters(request, FlushParameters).deadline
        return json_answer(await self._backend.flush(deadline))

    async def reload(self, request: web.Request) -> web.StreamResponse:
        """`POST /reload`: read the configuration again; `GET /stats` tells what became of it."""
        parameters(request, Parameters)
        return json_answer(await self._backend.reload(), 202)

    async def stats(self, _: web.Request) -> web.StreamResponse:
        """`GET /stats`: all figures."""
        return json_answer(await self._backend.stats() | {"api_keys": self._guard.ledger.figures()})

    @needs(None)
    async def health(self, request: web.Request) -> web.StreamResponse:
        """`GET /health`: 503 only when no logs can be accepted. Open, for probes; the checks need `read`."""
        report = await self._backend.health()
        document: dict[str, Any] = {"status": report.status, "accepting": report.accepting, "access": self._access}
        if self._guard.may_look(request):
            document["checks"] = report.checks
        return json_answer(document, 200 if report.accepting else 503)

    async def health_db(self, _: web.Request) -> web.StreamResponse:
        """`GET /health/db`: the store in detail, and how far behind each sink is; 503 while it is out of reach."""
        health, stats = await asyncio.gather(self._store_health(), self._backend.stats())
        document = health.model_dump()
        document["figures"]["lag_flushes"] = {name: sink["lag_flushes"] for name, sink in stats["sinks"].items()}
        return json_answer(document, 200 if health.reachable else 503)

    async def _store_health(self) -> StoreHealth:
        store = self._backend.store
        if store is None:
            return StoreHealth(reachable=False, detail="no store is enabled; name one in plugins.toml")
        try:
            async with asyncio.timeout(STORE_DEADLINE):
                return await store.health()
        except TimeoutError:
            return StoreHealth(reachable=False, detail=f"no answer within {STORE_DEADLINE:g} s")


def json_answer(document: dict[str, Any], status: int = 200) -> web.Response:
    """A JSON answer that nobody may keep."""
    body = msgspec.json.encode(document, enc_hook=str)
    return web.Response(
        body=body, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )

"""Calls of plugins with one instance: the other workers forward them to the first one, which has it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import web

from log_aggregator.config.place import Place
from log_aggregator.errors import RetryableError
from log_aggregator.http.access.auth import CALLER, caller
from log_aggregator.http.backend import Handler
from log_aggregator.http.problem import Problem, busy
from log_aggregator.plugins.checks import instances_of
from log_aggregator.plugins.registry import Registry

FORWARDED = "/forwarded"
"""The path at which the first worker takes forwarded calls, on its socket for the other workers."""

_ROUTE, _MATCH, _CALLER = "X-Route", "X-Match", "X-Caller"
_LARGEST = 1 << 20

Ask = Callable[..., Awaitable[tuple[int, str, bytes]]]
"""`(query, headers, body)` → status, content type and body of the first worker's answer. Raises `RetryableError`."""


def forwarded_routes(registry: Registry, place: Place, ask: Ask) -> list[tuple[str, str, Handler]]:
    """What this worker serves in place of the plugins that only the first one has: what their classes name in `routes`.

    Each route is a method, a path and the scope that it needs.
    """
    if not place.number:
        return []
    return [
        (method, path, _forwarding(method, path, scope, ask))
        for plugin in registry.plugins
        if instances_of(plugin.instance) != "worker"
        for method, path, scope in getattr(type(plugin.instance), "routes", ())
    ]


def _forwarding(method: str, path: str, scope: str, ask: Ask) -> Handler:
    async def forward(request: web.Request) -> web.StreamResponse:
        body = await request.content.read(_LARGEST + 1)
        while len(body) <= _LARGEST and not request.content.at_eof():
            body += await request.content.read(_LARGEST + 1 - len(body))
        if len(body) > _LARGEST:
            raise Problem(413, f"expected a body of at most {_LARGEST} bytes", close=True)
        headers = {
            _ROUTE: f"{method} {path}",
            _MATCH: json.dumps(dict(request.match_info)),
            _CALLER: json.dumps(caller(request)),
            "Content-Type": request.headers.get("Content-Type", "application/octet-stream"),
        }
        try:
            status, content_type, answer = await ask(request.query_string, headers, body)
        except RetryableError as error:
            raise busy(503, str(error), 1.0) from None
        return web.Response(status=status, body=answer or None, headers={"Content-Type": content_type})

    forward.needed_scope = None if scope == "open" else scope  # type: ignore[attr-defined]  # what the guard looks for
    return forward


def answer_forwarded(routes: Callable[[], Iterable[tuple[str, str, Handler]]]) -> Any:
    """The handler of forwarded calls in the first worker; `routes` are those of its plugins."""

    async def answer(request: web.Request) -> web.StreamResponse:
        method, _, path = request.headers[_ROUTE].partition(" ")
        for known_method, known_path, handler in routes():
            if (known_method, known_path) == (method, path):
                request.match_info.update(json.loads(request.headers[_MATCH]))
                request[CALLER] = json.loads(request.headers[_CALLER])
                try:
                    return await handler(request)
                except Problem as problem:
                    return problem.response()
        return Problem(404, "no such path; GET /docs lists all calls").response()

    return answer

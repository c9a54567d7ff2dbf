"""The short way to the ingest handlers: past the router, which costs as much as decoding a log.

Measured: routing, match info and middleware assembly are a seventh of what one request costs. Only requests that the
application would handle in exactly the same way take it: POST, this very path, no `Expect`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from log_aggregator.http.inner import INNER


class Shortcuts(NamedTuple):
    """`handlers`: path → the handler of its POST requests. `surround` is the application's one middleware."""

    handlers: dict[str, Handler]
    surround: Middleware


SHORTCUTS: web.AppKey[Shortcuts] = web.AppKey("SHORTCUTS", Shortcuts)

Whole = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def with_shortcuts(app: web.Application, whole: Whole) -> Whole:
    """The application's own request handler → one that knows the short ways."""
    handlers, surround = app[SHORTCUTS]
    app[INNER].handle = whole

    def handle(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        handler = handlers.get(request.raw_path)
        if handler is None or request.method != "POST" or hdrs.EXPECT in request.headers:
            return whole(request)
        assert isinstance(request, web.Request)
        return surround(request, handler)

    return handle

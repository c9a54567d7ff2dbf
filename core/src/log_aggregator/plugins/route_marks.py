"""What a plugin says of a route, as attributes of its handler, where the guard of HTTP looks for them."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import get_args

from aiohttp import web

from log_aggregator.errors import ConfigError
from log_aggregator.hookspecs import RouteScope

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Credentials = Callable[[web.Request], str | None]


def marked(
    where: str, handler: Handler, scope: RouteScope, by_source: bool, credentials: Credentials | None
) -> Handler:
    """The handler with its marks. A method takes no attributes, so a function wraps it.

    `where` begins the message of the `ConfigError` that an unknown scope raises.
    """
    if scope not in get_args(RouteScope):
        known = ", ".join(get_args(RouteScope))
        raise ConfigError(f"{where}: scope {scope!r}: expected one of {known}")

    @functools.wraps(handler)
    async def with_marks(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    with_marks.needed_scope = None if scope == "open" else scope  # type: ignore[attr-defined]  # the mark
    with_marks.by_source = by_source  # type: ignore[attr-defined]  # likewise
    with_marks.credentials = credentials  # type: ignore[attr-defined]  # likewise
    return with_marks

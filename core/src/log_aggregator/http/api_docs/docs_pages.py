"""The calls that explain the others: `/openapi.json` and `/docs`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec
from aiohttp import hdrs, web

from log_aggregator.http.access.auth import needs
from log_aggregator.http.api_docs.html import docs_page


class Explaining:
    """Makes both documents when they are first asked for: most services never are."""

    def __init__(self, routes: Sequence[tuple[str, str, Any]] = ()) -> None:
        """`routes` are those of the plugins."""
        self._routes = routes
        self._document: dict[str, Any] = {}

    @needs(None)
    async def openapi(self, _: web.Request) -> web.StreamResponse:
        """`GET /openapi.json`."""
        return web.Response(body=msgspec.json.encode(self._openapi()), content_type="application/json")

    @needs(None)
    async def docs(self, request: web.Request) -> web.StreamResponse:
        """`GET /docs`."""
        page = docs_page(self._openapi(), f"{request.scheme}://{request.headers.get(hdrs.HOST) or 'localhost'}")
        return web.Response(text=page, content_type="text/html")

    def _openapi(self) -> dict[str, Any]:
        if not self._document:
            from log_aggregator.http.api_docs.openapi import openapi  # noqa: PLC0415  1.4 MB that most services never need

            self._document = openapi(version("log-aggregator-core"), self._routes)
        return self._document

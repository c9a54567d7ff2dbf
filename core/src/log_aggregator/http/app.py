"""The application: which path leads to which handler, and what surrounds them all."""

from __future__ import annotations

import asyncio

from aiohttp import web

from log_aggregator.http.access.auth import Guard
from log_aggregator.http.admin import Operating
from log_aggregator.http.api_docs.docs_pages import Explaining
from log_aggregator.http.backend import Backend
from log_aggregator.http.fast_path import SHORTCUTS, Shortcuts
from log_aggregator.http.ingest import Ingest
from log_aggregator.http.middleware import surround
from log_aggregator.http.queries import Reading

BACKEND: web.AppKey[Backend] = web.AppKey("BACKEND")
"""How a plugin's handler reaches the service: `request.app[BACKEND]`."""

STOPPING: web.AppKey[asyncio.Event] = web.AppKey("STOPPING", asyncio.Event)
"""Set when the service stops or reloads: a handler that streams ends then, and holds nobody up."""


def build_app(backend: Backend) -> web.Application:
    """The web application in front of a service. Plugins' routes must be complete by now.

    Raises `ConfigError` when the API keys or the trusted proxies are wrong.
    """
    guard = Guard(backend.settings)
    surrounding = surround(guard)
    app = web.Application(middlewares=[surrounding], client_max_size=backend.settings.max_body_bytes)
    app[BACKEND] = backend
    app[STOPPING] = asyncio.Event()
    ingest, reading, operating = Ingest(backend, guard), Reading(backend), Operating(backend, guard)
    explaining = Explaining(backend.routes)
    add = app.router.add_route
    add("POST", "/ingest", ingest.one, expect_handler=ingest.expect)
    add("POST", "/ingest/batch", ingest.batch, expect_handler=ingest.expect)
    app[SHORTCUTS] = Shortcuts({"/ingest": ingest.one, "/ingest/batch": ingest.batch}, surrounding)
    add("POST", "/flush", operating.flush)
    app.router.add_get("/stats", operating.stats)
    app.router.add_get("/health", operating.health)
    app.router.add_get("/health/db", operating.health_db)
    app.router.add_get("/patterns", reading.patterns)
    app.router.add_get("/patterns/{id}", reading.pattern)
    app.router.add_get("/patterns/{id}/timeline", reading.timeline)
    app.router.add_get("/series", reading.series)
    app.router.add_get("/anomalies", reading.anomalies)
    app.router.add_get("/openapi.json", explaining.openapi)
    app.router.add_get("/docs", explaining.docs)
    for method, path, handler in backend.routes:
        add(method, path, handler)
    return app

"""The application: which path leads to which handler, and what surrounds them all."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web

from log_aggregator.http.access.auth import Guard
from log_aggregator.http.access.ledger import Ledger
from log_aggregator.http.access.quota import Quota
from log_aggregator.http.admin import Operating
from log_aggregator.http.api_docs.docs_pages import Explaining
from log_aggregator.http.backend import Backend
from log_aggregator.http.fast_path import SHORTCUTS, Shortcuts
from log_aggregator.http.ingest import Ingest
from log_aggregator.http.inner import INNER, Inner
from log_aggregator.http.middleware import surround
from log_aggregator.http.on_call import OnCall
from log_aggregator.http.queries import Reading
from log_aggregator.http.request_limits import REQUEST_LIMITS, RequestLimits

BACKEND: web.AppKey[Backend] = web.AppKey("BACKEND")
"""How a plugin's handler reaches the service: `request.app[BACKEND]`."""

STOPPING: web.AppKey[asyncio.Event] = web.AppKey("STOPPING", asyncio.Event)
"""Set when the service stops or reloads: a handler that streams ends then, and holds nobody up."""


def build_app(backend: Backend, ledger: Ledger | None = None) -> web.Application:
    """The web application in front of a service. Plugins' routes must be complete by now.

    `ledger` is what is known of API keys from before a reload. Raises `ConfigError` when the API keys or a setting
    of the access is wrong.
    """
    guard = Guard(backend.settings, ledger)
    quota = Quota(backend.settings, guard)
    surrounding = surround(guard)
    app = web.Application(middlewares=[surrounding], client_max_size=backend.settings.max_body_bytes)
    app[BACKEND] = backend
    app[STOPPING] = asyncio.Event()
    limits = app[REQUEST_LIMITS] = RequestLimits(backend.settings, quota)
    app[INNER] = Inner()
    ingest, reading, operating = Ingest(backend, guard, limits), Reading(backend), Operating(backend, guard)
    explaining, on_call = Explaining(backend.routes), OnCall(backend)
    add = app.router.add_route
    add("POST", "/ingest", ingest.one, expect_handler=ingest.expect)
    add("POST", "/ingest/batch", ingest.batch, expect_handler=ingest.expect)
    app[SHORTCUTS] = Shortcuts({"/ingest": ingest.one, "/ingest/batch": ingest.batch}, surrounding)
    add("POST", "/flush", operating.flush)
    add("POST", "/reload", operating.reload)
    app.router.add_get("/stats", operating.stats)
    app.router.add_get("/health", operating.health)
    app.router.add_get("/health/db", operating.health_db)
    app.router.add_get("/patterns", reading.patterns)
    app.router.add_get("/patterns/{id}", reading.pattern)
    app.router.add_get("/patterns/{id}/timeline", reading.timeline)
    app.router.add_get("/series", reading.series)
    app.router.add_get("/anomalies", reading.anomalies)
    app.router.add_get("/patterns/{id}/triage", on_call.triage)
    add("POST", "/patterns/{id}/triage", on_call.change_triage)
    app.router.add_get("/triage", on_call.triage_list)
    app.router.add_get("/marks", on_call.marks)
    add("POST", "/marks", on_call.add_mark)
    add("DELETE", "/marks/{id}", on_call.remove_mark)
    app.router.add_get("/compare", on_call.compare)
    app.router.add_get("/values", on_call.values)
    app.router.add_get("/explain", on_call.explain)
    app.router.add_get("/openapi.json", explaining.openapi)
    app.router.add_get("/docs", explaining.docs)
    taken = {(method, path) for method, path, _ in backend.routes}
    for method, path, given in backend.routes:
        ingests = getattr(given, "needed_scope", "") == "ingest"
        handler = quota.around(given) if ingests and quota.is_limited else given
        add(method, path, handler)
        if method == hdrs.METH_GET and (hdrs.METH_HEAD, path) not in taken:
            add(hdrs.METH_HEAD, path, handler)
    return app

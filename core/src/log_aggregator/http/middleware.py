"""What surrounds every handler: whatever goes wrong becomes a problem document."""

from __future__ import annotations

import logging

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from log_aggregator.http.access.auth import Guard
from log_aggregator.http.problem import Problem
from log_aggregator.http.responses import SERVER, Accepted
from log_aggregator.http.zipped import zipped

_log = logging.getLogger(__name__)


PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Set on every page, plugins' pages too; a handler that sets one itself keeps its own."""


def surround(guard: Guard) -> Middleware:
    """The one middleware: every one costs each request, so there are no more."""
    has_origins = bool(guard.origins)

    @web.middleware
    async def surrounded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            guard.check(request, handler)
            answer = guard.origins.preflight(request) or await handler(request)
        except Problem as problem:
            answer = problem.response()
        except web.HTTPException as error:
            answer = of_http_error(request, error)
        except Exception:  # noqa: BLE001  one failing handler must not end the connection without an answer
            _log.exception("%s failed", getattr(handler, "__qualname__", "a handler"))
            answer = Problem(500, "the service failed to answer; its own log says why").response()
        return answer if type(answer) is Accepted and not has_origins else await finished(request, handler, answer)

    async def finished(request: web.Request, handler: Handler, answer: web.StreamResponse) -> web.StreamResponse:
        headers = guard.origins.headers(request)
        if isinstance(answer, Accepted):
            answer = answer.with_headers(headers) if headers else answer
        if not isinstance(answer, Accepted):
            guard.answered(request, handler, answer.status)
            if not answer.prepared:
                answer.headers.extend(headers)
                await zipped(request, answer)
                _secure(answer)
        return answer

    return surrounded


def _secure(answer: web.StreamResponse) -> None:
    headers = answer.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault(hdrs.SERVER, SERVER)
    if answer.content_type == "text/html":
        for name, value in PAGE_HEADERS.items():
            headers.setdefault(name, value)


def of_http_error(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    """The answer to what aiohttp itself raises: no such path, wrong method, body too large."""
    if error.status < 400:
        raise error
    headers: dict[str, str] = {}
    detail = error.reason
    if isinstance(error, web.HTTPMethodNotAllowed):
        headers[hdrs.ALLOW] = ", ".join(sorted(error.allowed_methods))
        detail = f"{request.method} is not for this path; expected {headers[hdrs.ALLOW]}"
    elif error.status == 404:
        detail = "no such path; GET /docs lists all calls"
    return Problem(error.status, detail, headers=headers).response()

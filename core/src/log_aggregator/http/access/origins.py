"""Pages in browsers: which sites may send to the service, and what a browser is told about it (CORS)."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import hdrs, web

from log_aggregator.errors import ConfigError
from log_aggregator.http.access.hosts import split_host
from log_aggregator.http.problem import Problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

_PORTS = {"http": 80, "https": 443}
_FOREIGN = ("cross-site", "same-site")
_KEPT = "600"  # seconds for which a browser keeps the answer to a preflight

Site = tuple[str, str, int]


class Origins:
    """The sites of ALLOWED_ORIGINS. The service's own pages need no entry."""

    def __init__(self, allowed: str) -> None:
        """Raises `ConfigError` for an entry that is not an origin."""
        self._allowed = {_entry(part.strip()) for part in allowed.split(",") if part.strip()}

    def __bool__(self) -> bool:
        return bool(self._allowed)

    def check(self, request: web.Request) -> None:
        """Refuse what a page of another site sends to change something. Raises `Problem` 403."""
        if request.method in SAFE:
            return
        headers = request.headers
        origin = headers.get(hdrs.ORIGIN)
        if origin is None:
            foreign = headers.get("Sec-Fetch-Site") in _FOREIGN
        else:
            foreign = not (self._is_allowed(origin) or _is_own(origin, headers.get(hdrs.HOST, "")))
        if foreign:
            raise Problem(403, "Origin: a page of another site may not send to this service; see ALLOWED_ORIGINS")

    def headers(self, request: web.Request) -> dict[str, str]:
        """What lets the browser show the answer to a page of an allowed site; empty for everyone else."""
        if not self._allowed:
            return {}
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not self._is_allowed(origin):
            return {}
        return {
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
            hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: hdrs.RETRY_AFTER,
            hdrs.VARY: hdrs.ORIGIN,
        }

    def preflight(self, request: web.Request) -> web.Response | None:
        """The answer to the question of a browser whether such a page may send; `None`: it is no such question."""
        if request.method != hdrs.METH_OPTIONS or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
            return None
        headers = self.headers(request)
        if not headers:
            return None
        asked = request.headers
        headers |= {
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: asked[hdrs.ACCESS_CONTROL_REQUEST_METHOD],
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: asked.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, hdrs.CONTENT_TYPE),
            hdrs.ACCESS_CONTROL_MAX_AGE: _KEPT,
        }
        if asked.get("Access-Control-Request-Private-Network") == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        return web.Response(status=204, headers=headers)

    def _is_allowed(self, origin: str) -> bool:
        return bool(self._allowed) and _site(origin) in self._allowed


def _is_own(origin: str, header: str) -> bool:
    """Whether a page came from the host and port that its request goes to. A TLS proxy changes the scheme only."""
    site, host = _site(origin), split_host(header)
    if site is None or host is None:
        return False
    return site[1:] == (host[0], host[1] or _PORTS[site[0]])


def _site(origin: str) -> Site | None:
    """An origin → (scheme, host, port); `None` for `null` and all that is not http."""
    scheme, separator, rest = origin.partition("://")
    host = split_host(rest)
    if not separator or scheme.lower() not in _PORTS or host is None:
        return None
    return scheme.lower(), host[0], host[1] or _PORTS[scheme.lower()]


def _entry(text: str) -> Site:
    site = None if urlsplit(text).path not in ("", "/") else _site(text.rstrip("/"))
    if site is None:
        raise ConfigError(f"ALLOWED_ORIGINS: {text!r}: expected a site such as https://app.example.org")
    return site

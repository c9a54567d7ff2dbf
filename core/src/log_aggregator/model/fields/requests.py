"""HTTP requests in objects: where access logs of servers, proxies and frameworks hold status, method and path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_METHODS = frozenset(
    ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND", "PURGE"]
)
_METHOD_NAMES = (
    "method", "RequestMethod", "request_method", "http_method", "requestMethod", "http.request.method", "verb",
    "cs-method",
)  # fmt: skip
_PATH_NAMES = (
    "uri", "path", "RequestPath", "request_uri", "url", "requestUrl", "url.path", "http.target", "request_path",
    "cs-uri-stem",
)  # fmt: skip
_STATUS_NAMES = (
    "status", "DownstreamStatus", "status_code", "response_code", "statusCode", "http.response.status_code",
    "http.status_code", "sc-status", "responseStatus", "code",
)  # fmt: skip
_HOLDERS = ("request", "httpRequest", "http", "req")
STARTED = ("start_time", "StartUTC", "startTime", "started_at")
"""Names of the time at which a request began; elsewhere it is that of a job."""

_LINE = re.compile(r"([A-Z]{3,8}) (\S{1,8000}) HTTP/\d(?:\.\d)?")
_HOST = re.compile(r"https?://[^/?#\s]{1,255}(?=[/?#]|$)")
_SIGNS = frozenset({*_METHOD_NAMES, *_HOLDERS})
"""Keys of which an object with a request has one."""


class Request(NamedTuple):
    """A request that was answered: its status (100 to 599), method and path with its query."""

    status: int
    method: str
    path: str

    def __str__(self) -> str:
        """The request as a message: `503 GET /orders/7`, without the query."""
        return f"{self.status} {self.method} {self.path.partition('?')[0]}"

    @property
    def level(self) -> str:
        """See `level_of`."""
        return level_of(self.status)


def level_of(status: int) -> str:
    """The level of an HTTP status: 5xx is ERROR, 4xx WARN, the rest INFO."""
    return "ERROR" if 500 <= status < 600 else "WARN" if 400 <= status < 500 else "INFO"


def request_in(log: Mapping[str, Any]) -> Request | None:
    """The request that an access log's object tells of; `None` where method, path or status is not there.

    Caddy, Traefik, Envoy, nginx and Apache as JSON, Lograge, Heroku's router, load balancers of Google, ECS.
    """
    if _SIGNS.isdisjoint(log):
        return None
    places = [log, *(log[name] for name in _HOLDERS if type(log.get(name)) is dict)]
    status = next((one for one in map(_status, _values(places, _STATUS_NAMES)) if one is not None), None)
    if status is None:
        return None
    line = log.get("request")
    if type(line) is str and (match := _LINE.fullmatch(line)) and match[1] in _METHODS:
        return Request(status, match[1], match[2])
    method = next((one for one in _values(places, _METHOD_NAMES) if type(one) is str and one in _METHODS), None)
    path = next((one for one in _values(places, _PATH_NAMES) if type(one) is str and one), None)
    if method is None or path is None:
        return None
    return Request(status, method, _HOST.sub("", path, count=1) or "/")


def without_request(log: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """The object without what `request_in` found in it; a query is kept as `query`."""
    kept: dict[str, Any] = {}
    for name, value in log.items():
        if name in _HOLDERS and type(value) is dict:
            if rest := without_request(value, request._replace(path=request.path.partition("?")[0])):
                kept[name] = rest
        elif not _is_said(name, value, request):
            kept[name] = value
    if query := request.path.partition("?")[2]:
        kept.setdefault("query", query)
    return kept


def _is_said(name: str, value: Any, request: Request) -> bool:
    if name in _STATUS_NAMES:
        return _status(value) == request.status
    if type(value) is not str:
        return False
    if name in _PATH_NAMES:
        return _HOST.sub("", value, count=1).partition("?")[0] == request.path.partition("?")[0]
    if name == "request":
        return value.startswith(f"{request.method} {request.path.partition('?')[0]}")
    return name in _METHOD_NAMES and value == request.method


def _values(places: list[Mapping[str, Any]], names: tuple[str, ...]) -> Iterator[Any]:
    for place in places:
        for name in names:
            if name in place:
                yield place[name]
            elif "." in name and (value := _below(place, name)) is not None:
                yield value


def _below(log: Mapping[str, Any], path: str) -> Any:
    value: Any = log
    for name in path.split("."):
        value = value.get(name) if type(value) is dict else None
    return value


def _status(value: Any) -> int | None:
    if type(value) is str and len(value) == 3 and value.isdecimal() and value.isascii():
        value = int(value)
    return value if type(value) is int and 100 <= value < 600 else None

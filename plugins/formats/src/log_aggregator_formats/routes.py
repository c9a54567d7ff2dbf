"""The pattern of a request: its status as it is, and the route with what varies in it masked."""

from __future__ import annotations

import re

MOST_ROUTES = 1000
"""Distinct routes that get patterns of their own; paths beyond are `{PATH}`."""

BEGINNINGS = frozenset({"000 ", "GET ", "POST", "PUT ", "DELE", "HEAD", "OPTI", "PATC"})
"""The first four characters of the shapes that may be requests."""

_METHOD = "GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH"
_REQUEST = re.compile(rf"([1-5]\d\d) ({_METHOD}) (/\S*)$")
_PLAIN = re.compile(rf"({_METHOD}) (/\S*) ([1-5]\d\d)((?: (?:\d+(?:\.\d+)?\s?[mµun]?s|\d+|-)){{0,3}})$")
_TIME = re.compile(r"\d+(?:\.\d+)?(?=\s?[mµun]?s)")
_SEGMENT = re.compile(r"(?=.*\d)(?!v\d{1,2}$).+|.{25,}|[0-9a-f]{12,}")


class Routes:
    """The routes seen so far, bounded: paths of scanners and slugs are without number."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def pattern_of(self, message: str) -> str:
        """`503 GET /orders/{ID}` for `503 GET /orders/7`; empty for a message that is no request."""
        if match := _REQUEST.match(message):
            return f"{match[1]} {match[2]} {self._route(match[3], match[1])}"
        if match := _PLAIN.match(message):
            rest = re.sub(r"(?<![{\w])\d+(?:\.\d+)?(?![\w}])", "{SIZE}", _TIME.sub("{TIME}", match[4]))
            return f"{match[1]} {self._route(match[2], match[3])} {match[3]}{rest}"
        return ""

    def _route(self, path: str, status: str) -> str:
        if status == "404":  # no route of ours
            return "{PATH}"
        path = path.partition("?")[0]
        route = "/".join("{ID}" if _SEGMENT.fullmatch(part) else part for part in path.split("/"))
        if route not in self._known:
            if len(self._known) >= MOST_ROUTES:
                return "{PATH}"
            self._known.add(route)
        return route

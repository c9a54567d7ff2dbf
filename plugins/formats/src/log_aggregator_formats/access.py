"""Access logs of web servers and proxies: the message becomes status, method and route, the rest fields."""

from __future__ import annotations

import re

from log_aggregator.model.fields.requests import level_of
from log_aggregator_formats.found import Found

_METHOD = r"(?P<method>GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|TRACE|CONNECT|PROPFIND|PURGE)"
_COMMON = re.compile(
    r"(?P<client>[\w.:%-]{2,80})(?: (?P<ident>\S{1,80}) (?P<user>\S{1,80}))? \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    rf'"(?:{_METHOD} (?P<path>\S{{1,8000}})(?: (?P<protocol>HTTP/[\d.]{{1,3}}))?|(?P<bad>[^"]{{0,400}}))" '
    r'(?P<status>\d{3}) (?P<bytes>\d{1,18}|-)(?: "(?P<referer>[^"]*)" "(?P<agent>[^"\\]*(?:\\.[^"\\]*)*)")?'
    r'(?: \d{1,12} "(?P<router>[^"]*)" "(?P<upstream>[^"]*)" (?P<ms>\d+)ms| "?(?P<seconds>\d+\.\d{1,6})"?)?(?P<more>.*)',
)
_QUOTED = re.compile(
    rf'(?:(?P<client>[\w.:\[\]-]{{2,80}}) - )?"{_METHOD} (?P<path>\S{{1,8000}})(?: (?P<protocol>HTTP/[\d.]{{1,3}}))?" '
    r"(?P<status>\d{3})(?: (?P<bytes>\d{1,18}|-)(?: (?P<seconds>\d+\.\d{1,6}))?| [A-Z][A-Za-z -]{1,40})?$"
)
_PLAIN = re.compile(rf"{_METHOD} /\S{{0,8000}} (?P<status>\d{{3}})(?=\s|$)")
_IIS = re.compile(
    rf"(?P<time>\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d) (?:(?:\S{{1,60}} )?\S{{1,60}} )?{_METHOD} (?P<path>\S{{1,8000}}) (?P<query>\S{{1,8000}}) "
    r"(?P<port>\d{1,5}) (?P<user>\S{1,100}) (?P<client>[\d.a-fA-F:]{2,45}) (?:HTTP/\S+ )?(?P<agent>\S{1,2000})(?: (?P<referer>\S{1,2000}))? "
    r"(?P<status>\d{3}) \d{1,5} \d{1,10}(?: (?P<numbers>[\d ]{1,60}))?$"
)
_HAPROXY = re.compile(
    r"(?P<client>[\d.a-fA-F:]{2,45}):(?P<port>\d{1,5}) \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?:\.\d{3})?)\] "
    r"(?P<frontend>\S{1,80}) (?P<backend>\S{1,160}) (?P<timers>[\d/+-]{3,60}) (?P<status>-?\d{1,3}) \+?(?P<bytes>\d{1,18}) "
    rf'.{{0,200}}?"{_METHOD} (?P<path>\S{{1,8000}})(?: HTTP/[\d.]{{1,3}})?"'
)
_FIELDS = ("client", "user", "referer", "agent", "router", "upstream", "frontend", "backend")


def common(found: Found) -> bool:
    """Common and combined, as Apache, nginx, Traefik and many others write them."""
    match = _COMMON.match(found.text)
    if match is None or not found.take_time(match["time"]):
        return False
    found.take_field("access", match["more"].strip())
    return _take(found, match)


def quoted(found: Found) -> bool:
    """`127.0.0.1:5000 - "GET /x HTTP/1.1" 200 OK`: uvicorn, Django's runserver, Python's http.server."""
    match = _QUOTED.match(found.text)
    return match is not None and _take(found, match)


def iis(found: Found) -> bool:
    """W3C extended, in the order that IIS writes by default."""
    match = _IIS.match(found.text)
    if match is None or not found.take_time(match["time"]):
        return False
    numbers = (match["numbers"] or "").split()
    found.take_field("duration", f"{numbers[-1]}ms" if numbers else None)
    return _take(found, match)


def haproxy(found: Found) -> bool:
    """HAProxy's HTTP log."""
    match = _HAPROXY.match(found.text)
    if match is None or not found.take_time(match["time"]):
        return False
    total = match["timers"].rpartition("/")[2].lstrip("+")
    found.take_field("duration", f"{total}ms" if total.isdecimal() else None)
    return _take(found, match)


def plain(found: Found) -> bool:
    """`GET /orders/7 200 3ms` is its own sentence; its status is the level."""
    if match := _PLAIN.match(found.text):
        found.level = found.level or level_of(int(match["status"]))
    return False


def _take(found: Found, match: re.Match[str]) -> bool:
    parts = match.groupdict()
    fields = found.fields
    for name in _FIELDS:
        value = parts.get(name)
        if value and value != "-":
            fields.setdefault(name, value)
    if (parts.get("bytes") or "-").isdecimal():
        found.take_field("bytes", int(parts["bytes"]))
    if parts.get("ms"):
        found.take_field("duration", f"{parts['ms']}ms")
    elif parts.get("seconds"):
        found.take_field("duration", f"{parts['seconds']}s")
    if parts["method"] is None:
        found.text = f'{parts["status"]} "{parts["bad"]}"'
        found.level = level_of(int(parts["status"]))
        return True
    take_request(found, int(parts["status"]), parts["method"], parts["path"])
    return True


def take_request(found: Found, status: int, method: str, path: str) -> None:
    """Make a request the message: `200 GET /orders/7`; the query becomes a field."""
    route, _, query = path.partition("?")
    found.take_field("query", query)
    found.text = f"{status} {method} {route}"
    found.level = level_of(status)

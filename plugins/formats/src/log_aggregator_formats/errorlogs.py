"""What is left of the error logs of web servers and databases behind their time and level."""

from __future__ import annotations

import re

from log_aggregator_formats.found import Found
from log_aggregator_formats.words import meaning

_NGINX = re.compile(r"(?:(?P<pid>\d+)#\d+: )?(?:\*(?P<connection>\d+) )?")
_NGINX_FIELD = re.compile(r', (client|server|request|subrequest|upstream|host|referrer): ("[^"]*"|[^,]*)')
_APACHE = re.compile(
    r"(?:\[pid (?P<pid>\d+)(?::tid \d+)?\] )?(?:\((?P<errno>\d+)\)[^:]{1,80}: )?(?:\[client (?P<client>[^\]]{2,60})\] )?"
)
_APACHE_HEAD = re.compile(
    r"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})? \d{4})\] \[(?:[\w-]{0,30}:)?(?P<level>[a-z]{3,8}\d?)\] "
)

_SAMBA = re.compile(
    r"\[(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?), +\d{1,3}(?:, [^\]\n]{1,200})?\] (?P<caller>\S{1,200}\(\w{1,80}\))\s+(?=\S)"
)


def samba(found: Found) -> bool:
    """`[2026/03/01 10:00:00.123456,  1] ../../source3/smbd/server.c:17(main)`, and the sentence on the next line.

    Samba's number says how much detail a line is, and not how bad it is: it is no level.
    """
    match = _SAMBA.match(found.text)
    if match is None or not found.take_time(match["time"]):
        return False
    found.take_field("caller", match["caller"])
    found.text = found.text[match.end() :]
    return True


def nginx(found: Found) -> bool:
    """`77#77: *1 connect() failed, client: 10.0.0.1, server: x`, behind time and level."""
    match = _NGINX.match(found.text)
    if match is None or not match.end():
        return False
    found.take_field("pid", match["pid"])
    text = found.text[match.end() :]
    if (place := _NGINX_FIELD.search(text)) is not None:
        for name, value in _NGINX_FIELD.findall(text):
            found.take_field(name, value.strip('"'))
        text = text[: place.start()]
    found.text = text
    return True


def apache(found: Found) -> bool:
    """`[Sun Mar 01 10:00:00.123456 2026] [core:error] [pid 1:tid 2] [client 10.0.0.1:5] AH00001: …`."""
    head = _APACHE_HEAD.match(found.text)
    if head is None or not meaning(head["level"].rstrip("0123456789")) or not found.take_time(head["time"]):
        return False
    found.level = meaning(head["level"].rstrip("0123456789"))
    match = _APACHE.match(found.text, head.end())
    if match is not None:
        found.take_field("pid", match["pid"])
        found.take_field("client", match["client"])
        head_end = match.end()
        found.text = found.text[head_end:]
    return True

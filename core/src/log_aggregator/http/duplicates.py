"""Headers that an agent sends twice: its own `Content-Type`, and the one that a person configured for it.

The HTTP parser answers 400 to any header that may stand once, and agents throw away what was answered 400. Here the
second one gets another name of the same length, so that no byte of what follows moves. Headers that decide where a
request ends or whom it is for (`Content-Length`, `Transfer-Encoding`, `Host`) stay as they are, and are refused.
"""

from __future__ import annotations

import re

HEAD = 4096
"""Bytes of a request that are looked at."""

_REPEATABLE = re.compile(rb"\r\n(content-type|user-agent)(?=[ \t]*:)", re.IGNORECASE)


def may_repeat(data: bytes) -> bool:
    """Whether these bytes may begin a request with such a header twice. Takes a quarter of a microsecond."""
    return data[:1] == b"P" and (data.count(b"ype:", 0, HEAD) > 1 or data.count(b"gent:", 0, HEAD) > 1)


def without_duplicates(data: bytes) -> bytes:
    """The same bytes, with all but the first of each such header renamed; of the same length."""
    end = data.find(b"\r\n\r\n", 0, HEAD)
    if not data.startswith((b"POST ", b"PUT ")) or end < 0:
        return data
    seen: set[bytes] = set()

    def renamed(found: re.Match[bytes]) -> bytes:
        name = found[1].lower()
        if name not in seen:
            seen.add(name)
            return found[0]
        return b"\r\nX-" + found[1][2:]

    return _REPEATABLE.sub(renamed, data[:end]) + data[end:]

"""Cookies in headers and in lists of their values: which hold a session or a token, and which only a setting."""

from __future__ import annotations

import re
from collections.abc import Iterator

from log_aggregator_redact.assigned import Found

_SESSION = r"[\w.-]{0,60}(?:sess|sid|auth|tok|csrf|xsrf|jwt|sso|secret|pass|pwd|key|cred|login|ticket|remember|signed)"
_SETTING = r"[a-z]{0,16}(?:(?:[-_/.,]|%2[cf])[a-z]{1,16}){0,3}|\d{1,4}(?:x\d{1,4})?"
_ATTRIBUTE = (
    r"(?:path|domain|max-age|expires|samesite|priority|comment|version)=[^;\r\n\"'\\]{0,100}"
    r"|secure|httponly|partitioned"
)
_ONE = rf"(?:{_ATTRIBUTE}|(?!{_SESSION})[\w.-]{{1,60}}=(?:{_SETTING}))\s{{0,3}}(?=;|,|[\"'\\\r\n]|\Z)"
_SETTINGS = re.compile(rf"(?:{_ONE}[;,]?\s{{0,3}}){{1,60}}+(?=[\"'\\\r\n]|\Z)", re.IGNORECASE | re.ASCII)
"""Cookies whose values are short words or numbers and whose names denote no session: `lang=de; theme=dark`."""

_HEADER = re.compile(
    r"""(?:(?<![a-z])|(?<=\\[nrt]))cookie(?:\\{0,8}["'])?\]?(?:\s{0,3}[:=]\s{0,3}(?:\[\s?)?(?:\\{0,8}["'])?|\s["'])"""
    r"""(?P<secret>(?!\[redacted)[^\s="';,\\]{1,100}=[^\r\n"'\\]{1,8192})""",
    re.IGNORECASE | re.ASCII,
)

NEAR_COOKIE = r"""cookie(?:\\*["'])?\]?(?:\s*[:=]|\s["'])"""


def cookies(text: str) -> Iterator[Found]:
    """The values of `Cookie:` and `Set-Cookie:` headers that hold more than settings."""
    for match in _HEADER.finditer(text):
        start, stop = match.span("secret")
        if _SETTINGS.match(text, start) is None:
            yield start, stop, "cookie"


def are_settings(text: str) -> bool:
    """Whether the value of a cookie header holds no session and no token."""
    return _SETTINGS.fullmatch(text) is not None

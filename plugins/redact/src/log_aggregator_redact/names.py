"""Which names denote secrets: one list for keys, flags, columns, attributes and headers.

A name is compared without case, separators, digits at its end and qualifiers (`DB_PASSWORD_PROD`), after NFKC and
without characters that are not seen.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from log_aggregator_redact.view import normalized, plain, unescaped
from log_aggregator_redact.words import either, words

Kind = Literal["password", "secret", "session", "pin", "connection", "cookie"]
"""`password`: any value of it is secret. `secret`: any value that is no ordinary word. `session`: random values only.
`pin`: a few digits. `connection`: what a connection string holds. `cookie`: values of cookies that are no settings.
"""

LONGEST = 200
"""Characters of a name that are compared: the last ones."""

_NOT = re.compile(
    r"(?:next|prev|previous|page|paging|pagination|continuation|continue|sync|cursor|resume|resumption|marker|skip|max|min|"
    r"total|prompt|completion|input|output|cached|reasoning|num|number|of|stop|eos|bos|pad|unk|start|end|special|text|"
    r"new|generated|context|used|remaining|unexpected|audio|image|accepted|rejected|per)"
    r"(?:page)?tokens?|(?:public|host|primary|foreign|sort|partition|cache|idempotency|shard|routing|group|index|hash|range|"
    r"composite|unique|surrogate|lookup|row|object|message|cluster)keys?|(?:change|reset|forgot|no|invalid|bad)?(?:pass)tokens?"
    r"|(?:ch|k|smb|ht|yp|g|lp|vnc|ldap|mk|slap)passwd|(?:access|refresh|security|csrf|session|lock|fencing)tokens?(?:count|type)|(?:accept|test|has|require[sd]?|use|is|enable)"
    r"(?:password|token|secret|cookie)s?|tokens|postalcode|(?:status|error|exit|return|response|http|country|zip|area|char)code"
)
"""Names that end like a secret's and denote none."""

_METHOD = re.compile(r"(?:sha\d{1,3}|native)password\Z")
"""Names of ways to authenticate: `caching_sha2_password`."""

_WORD = re.compile(r"[A-Z]+(?![a-zà-ÿ])|[A-Z]?[^\W\dA-Z_]+|\d+")
_OWNED = re.compile(rf"(?:{either('owners')})+(?:pass|pw|psw)")
_QUALIFIERS = frozenset(words("qualifiers"))
_PASSWORDS = tuple("".join(_WORD.findall(word)) for word in words("passwords"))
_SECRETS = tuple("".join(_WORD.findall(word)) for word in words("secrets"))
_VENDOR_KEY = re.compile(rf"(?:{either('vendors')})keys?")
_SHORT_PASSWORDS = frozenset(words("short_passwords"))
_SHORT_SECRETS = frozenset(words("short_secrets"))
_SESSIONS = frozenset(words("sessions"))
_COOKIES = frozenset(("cookie", "cookies"))
_CONNECTIONS = frozenset(words("connections"))
_ANYWHERE_SESSIONS = _SESSIONS - {"sid", "session", "ticket", "code", "auth", "authentication", "assertion"}


@lru_cache(maxsize=8192)
def kind_of(name: str) -> Kind | None:
    """What kind of secret a name denotes, if any: `dbPassword`, `X-Api-Key`, `user[password]`, `Set-Cookie`."""
    name = name[-LONGEST:]
    if "%" in name:
        view = unescaped(plain(name))
        name = name if view is None else view.text
    parts = [word.lower() for word in _WORD.findall(normalized(name))]
    while parts and parts[-1].isdecimal():
        parts.pop()
    while len(parts) > 1 and (parts[-1] in _QUALIFIERS or parts[-1].isdecimal()):
        parts.pop()
    if not parts:
        return None
    return _kind(parts)


def _kind(parts: list[str]) -> Kind | None:
    compact, last, two = "".join(parts), parts[-1], "".join(parts[-2:])
    if two in _SESSIONS or last in _ANYWHERE_SESSIONS or compact in _SESSIONS:
        return "session"
    if _NOT.fullmatch(two) or _NOT.fullmatch(last) or _METHOD.search(compact):
        return None
    if last in _SHORT_PASSWORDS or compact.endswith(_PASSWORDS) or _OWNED.fullmatch(last):
        return "password"
    if last in _CONNECTIONS or two in _CONNECTIONS:
        return "connection"
    if compact.endswith(_SECRETS) or last in _SHORT_SECRETS or (len(parts) > 1 and _VENDOR_KEY.fullmatch(two)):
        return "cookie" if last in _COOKIES else "secret"
    return "pin" if last in ("pin", "geheimzahl") else None

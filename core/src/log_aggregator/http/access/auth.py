"""Who may call: hosts, pages of other sites, API keys with their scopes, sources and rates."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import hdrs, web
from multidict import CIMultiDict

from log_aggregator.config.settings import Settings
from log_aggregator.http.access.audit import Audit
from log_aggregator.http.access.clients import Clients
from log_aggregator.http.access.exposure import check_exposure
from log_aggregator.http.access.hosts import Hosts
from log_aggregator.http.access.keys import ApiKey, KeyRing, Scope
from log_aggregator.http.access.ledger import Ledger
from log_aggregator.http.access.origins import SAFE, Origins
from log_aggregator.http.problem import Problem, busy
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised

_log = logging.getLogger(__name__)

KEY: web.RequestKey[ApiKey] = web.RequestKey("KEY", ApiKey)
"""The API key that a request came with."""

CALLER: web.RequestKey[str] = web.RequestKey("CALLER", str)
"""The name of the API key of a request that another worker took in."""

_CHALLENGE = CIMultiDict(
    [
        # A line each: browsers look for Basic at the start of a line only.
        (hdrs.WWW_AUTHENTICATE, 'Basic realm="log-aggregator", charset="UTF-8"'),
        (hdrs.WWW_AUTHENTICATE, 'Bearer realm="log-aggregator"'),
    ]
)
_AUDITED = ("write", "admin")
_NOT_REACHED = frozenset({400, 401, 404, 405, 421, 429})
"""Statuses of calls of strangers, which would flood the audit log."""

H = TypeVar("H", bound=Callable[..., Any])


def needs(scope: Scope | None, *, by_source: bool = False) -> Callable[[H], H]:
    """Mark a handler with the scope it needs; `None`: open to everyone.

    An unmarked handler needs `read` for GET and `admin` for everything else. `by_source`: it answers from the sources
    of the request's key only, see `allowed_sources`. Without it a key that has sources may only send.
    """

    def mark(handler: H) -> H:
        handler.needed_scope = scope  # type: ignore[attr-defined]  # the mark
        handler.by_source = by_source  # type: ignore[attr-defined]  # likewise
        return handler

    return mark


def allowed_sources(request: web.Request, source: str | None = None) -> tuple[str, ...]:
    """The sources that the answer may tell of; empty: all. For handlers that are marked `by_source`.

    `source` is the one that is asked for. Raises `Problem` 403 when the key does not cover it.
    """
    key = request.get(KEY)
    if key is None or not key.sources:
        return ()
    if source is not None and not key.covers(source):
        raise Problem(403, f"source {source!r}: not allowed for this API key")
    return tuple(key.sources)


def caller(request: web.Request) -> str:
    """The name of the API key that a request came with; empty where keys are off."""
    key = request.get(KEY)
    forwarded: str = request.get(CALLER, "")
    return key.name if key is not None else forwarded


class Guard:
    """Looks at each request before its handler runs."""

    def __init__(self, settings: Settings, ledger: Ledger | None = None) -> None:
        """Raises `ConfigError` when the file of API keys or a setting is wrong, or strangers could come in."""
        check_exposure(settings)
        self.clients = Clients(settings.trusted_proxies)
        self.ledger = ledger or Ledger()
        self.origins = Origins(settings.allowed_origins)
        self._hosts = Hosts(settings)
        self._ring = KeyRing.read(settings.api_keys_file) if settings.api_keys_file else None
        self._audit = Audit()

    def check(self, request: web.Request, handler: object) -> None:
        """Let a request pass, or raise `Problem`: 400, 401, 403, 421 or 429."""
        self._hosts.check(request.headers.get(hdrs.HOST))
        self.origins.check(request)
        if self._ring is not None:
            self._check_key(request, handler, self._ring)

    def may_look(self, request: web.Request) -> bool:
        """Whether a request to an open call may see what others may not: details of the service."""
        key: ApiKey | None = request.get(KEY)
        return self._ring is None or (key is not None and key.may("read") and not key.sources)

    def answered(self, request: web.Request, handler: object, status: int) -> None:
        """Note an administrative call in the audit log."""
        key = request.get(KEY)
        stranger = status in _NOT_REACHED or (status == 403 and key is None)
        if not stranger and _scope_of(request, handler) in _AUDITED:
            call = f"{request.method} {request.path}"
            self._audit.called(key.name if key else "", self.clients.of(request), call, status)

    def _check_key(self, request: web.Request, handler: object, ring: KeyRing) -> None:
        token = _from_route(request, handler) or _token(request)
        client = self.clients.of(request)
        key = self._known(token, client, ring) if token else None
        if key is not None:
            request[KEY] = key
        scope = _scope_of(request, handler)
        if scope is None:
            return
        if key is None:
            self.ledger.refused["missing"] += 1
            raise _unauthorized("an API key is needed")
        if not key.may(scope):
            self._refuse(key.name, client, "scope")
            raise Problem(403, f"this API key may not do this; expected the scope '{scope}'")
        if key.sources and scope != "ingest" and not getattr(handler, "by_source", False):
            self._refuse(key.name, client, "sources")
            raise Problem(403, "this API key is bound to some sources, and this call tells of all")
        if scope != "ingest":
            wait = self.ledger.wait(key)
            if wait:
                raise busy(429, "this API key is over its rate", wait)
            self.ledger.charge(key, 1, logs=False)

    def _known(self, token: str, client: str, ring: KeyRing) -> ApiKey:
        """The key that a token is. Raises `Problem` 401 when it is none, 429 when the client has guessed too often."""
        key = ring.find(token)
        wait = self.ledger.guess_wait(client, key)
        if wait:
            self._refuse("", client, "guessing")
            raise busy(429, "this client has sent too many wrong API keys", wait)
        if key is None:
            self.ledger.guessed(client)
            self._refuse(ring.name_in(token), client, "unknown")
            raise _unauthorized("this API key is not known")
        if key.is_expired():
            self._refuse(key.name, client, "expired")
            raise _unauthorized(f"this API key expired on {key.expires:%Y-%m-%d}")
        self.ledger.used(key, client)
        return key

    def _refuse(self, name: str, client: str, reason: str) -> None:
        self.ledger.refused[reason] += 1
        self._audit.refused(name, client, reason)


def _unauthorized(what: str) -> Problem:
    return Problem(401, f"{what}; expected Authorization: Bearer la.<name>.<secret>", headers=_CHALLENGE)


def _scope_of(request: web.Request, handler: object) -> Scope | None:
    default: Scope = "read" if request.method in SAFE else "admin"
    scope: Scope | None = getattr(handler, "needed_scope", default)
    return scope


def _from_route(request: web.Request, handler: object) -> str:
    """The token where the clients of a plugin's route send it; empty when there is none."""
    find = getattr(handler, "credentials", None)
    if find is None:
        return ""
    try:
        return str(find(request) or "")
    except Exception as error:  # noqa: BLE001  a plugin may raise anything; the usual headers are looked at
        _log.warning("credentials of a route failed", extra={"error": where_raised(error, package_of(find))})
        return ""


def _token(request: web.Request) -> str:
    """`Bearer`, `X-API-Key`, or the password of `Basic`, which browsers can ask a person for."""
    kind, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return request.headers.get("X-API-Key", "")

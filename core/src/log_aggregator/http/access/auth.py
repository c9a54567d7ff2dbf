"""Who may come in: hosts, pages of other sites, API keys and their scopes."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import hdrs, web

from log_aggregator.config.settings import Settings
from log_aggregator.http.access.keys import ApiKey, KeyRing, Scope
from log_aggregator.http.problem import Problem
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised

KEY: web.RequestKey[ApiKey] = web.RequestKey("KEY", ApiKey)
"""The API key that a request came with."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="log-aggregator", Basic realm="log-aggregator", charset="UTF-8"'}
_log = logging.getLogger(__name__)

H = TypeVar("H", bound=Callable[..., Any])


def needs(scope: Scope | None) -> Callable[[H], H]:
    """Mark a handler with the scope it needs; `None`: open to everyone.

    An unmarked handler needs `read` for GET and `admin` for everything else.
    """

    def mark(handler: H) -> H:
        handler.needed_scope = scope  # type: ignore[attr-defined]  # the mark
        return handler

    return mark


class Guard:
    """Looks at each request before its handler runs."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ConfigError` when the file of API keys is wrong."""
        self._hosts = [host.strip().lower() for host in settings.allowed_hosts.split(",") if host.strip()]
        self._ring = KeyRing.read(settings.api_keys_file) if settings.api_keys_file else None
        _warn_when_open(settings)

    def check(self, request: web.Request, handler: object) -> None:
        """Let a request pass, or raise `Problem`: 401, 403 or 421."""
        if self._hosts and not self._is_ours(request.headers.get(hdrs.HOST, "")):
            raise Problem(421, "Host: this service does not answer for it; see ALLOWED_HOSTS")
        if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and request.method not in _SAFE:
            raise Problem(403, "a page of another site may not send to this service")
        if self._ring is not None:
            self._check_key(request, handler, self._ring)

    def may_look(self, request: web.Request) -> bool:
        """Whether a request to an open call may see what others may not: details of the service."""
        key: ApiKey | None = request.get(KEY)
        return self._ring is None or (key is not None and key.may("read"))

    def _check_key(self, request: web.Request, handler: object, ring: KeyRing) -> None:
        token = _from_route(request, handler) or _token(request)
        key = ring.find(token) if token else None
        if key is not None:
            request[KEY] = key
        scope = _scope_of(request, handler)
        if scope is None:
            return
        if key is None:
            what = "this API key is not known" if token else "an API key is needed"
            raise Problem(401, f"{what}; expected Authorization: Bearer la.<name>.<secret>", headers=_CHALLENGE)
        if not key.may(scope):
            raise Problem(403, f"this API key may not do this; expected the scope '{scope}'")

    def _is_ours(self, header: str) -> bool:
        host = header.lower()
        host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        return any(host == ours or (ours.startswith("*.") and host.endswith(ours[1:])) for ours in self._hosts)


def _scope_of(request: web.Request, handler: object) -> Scope | None:
    default: Scope = "read" if request.method in _SAFE else "admin"
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


def _warn_when_open(settings: Settings) -> None:
    if settings.api_keys_file is None and not _is_loopback(settings.host):
        _log.warning(
            "listening on a public address without API keys: everyone who reaches it can send and read logs; "
            "make a key with `log-aggregator keys new` and set API_KEYS_FILE",
            extra={"host": settings.host},
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

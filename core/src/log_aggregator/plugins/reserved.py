"""Paths and names that the service has itself, so that no plugin can have them."""

from __future__ import annotations

import re

from log_aggregator.errors import ConfigError

PATHS = {
    "/ingest": {"POST"},
    "/ingest/batch": {"POST"},
    "/flush": {"POST"},
    "/reload": {"POST"},
    "/stats": {"GET"},
    "/health": {"GET"},
    "/health/db": {"GET"},
    "/patterns": {"GET"},
    "/patterns/{id}": {"GET"},
    "/patterns/{id}/timeline": {"GET"},
    "/series": {"GET"},
    "/anomalies": {"GET"},
    "/compare": {"GET"},
    "/explain": {"GET"},
    "/values": {"GET"},
    "/marks": {"GET", "POST"},
    "/marks/{id}": {"DELETE"},
    "/triage": {"GET"},
    "/patterns/{id}/triage": {"GET", "POST"},
    "/openapi.json": {"GET"},
    "/docs": {"GET"},
}
"""The service's own routes with their methods; a test compares them with the application."""

CHECKS = frozenset({"accepting", "database", "errors", "journal", "memory", "queue", "rejections", "replicas"})
"""Health checks of the service."""

_METHOD = re.compile(r"[A-Z]+|\*")


def check_route(where: str, method: str, path: str) -> None:
    """Raise `ConfigError` when a plugin cannot serve this route."""
    if not path.startswith("/"):
        raise ConfigError(f"{where}: route {path!r}: expected a path that begins with /, such as '/{path}'")
    if not _METHOD.fullmatch(method):
        raise ConfigError(
            f"{where}: route {path}: method {method!r}: expected an upper-case HTTP method, such as 'GET'"
        )
    for own, methods in PATHS.items():
        if _same(path, own) and (method == "*" or method in methods or (method == "HEAD" and "GET" in methods)):
            raise ConfigError(f"{where}: route {method} {path} is the service's own; expected another path")


def is_reserved_check(name: str) -> bool:
    """Whether `/health` has a check of this name itself."""
    return name in CHECKS or name.startswith(("sink ", "plugin "))


def _same(path: str, own: str) -> bool:
    """Whether both lead to the service's route: a variable of a path stands for any part."""
    parts, others = path.split("/"), own.split("/")
    if len(parts) != len(others):
        return False
    return all(part == other or other.startswith("{") for part, other in zip(parts, others, strict=True))

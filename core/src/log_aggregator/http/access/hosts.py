"""Which Host headers are answered. A page that rebinds its own name to this address has a Host of its own."""

from __future__ import annotations

import re
import socket

from log_aggregator.config.settings import Settings
from log_aggregator.http.access.exposure import is_loopback
from log_aggregator.http.problem import Problem

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_][A-Za-z0-9._-]*))(?::([0-9]{0,5}))?", re.ASCII)
_HIGHEST_PORT = 65535
_REMEMBERED = 1000


def split_host(header: str) -> tuple[str, int | None] | None:
    """A Host header → (lower-case name or address, port); `None` when it is not a host."""
    found = _HOST.fullmatch(header)
    if found is None:
        return None
    address, name, port = found.groups()
    number = int(port) if port else None
    if number is not None and number > _HIGHEST_PORT:
        return None
    return (address or name).lower().rstrip("."), number


class Hosts:
    """The names that the service answers for: those of ALLOWED_HOSTS and the machine's own, or any."""

    def __init__(self, settings: Settings) -> None:
        names = [host.strip().lower() for host in settings.allowed_hosts.split(",") if host.strip()]
        closed = is_loopback(settings.host) and settings.api_keys_file is None
        self._listed = bool(names) and "*" not in names
        self._any = "*" in names or (not names and not closed)
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        own = ("localhost", "127.0.0.1", "::1", settings.host.lower(), socket.gethostname().lower())
        self._names = frozenset((*names, *own))
        self._good: set[str] = set()

    def check(self, header: str | None) -> None:
        """Let a Host header pass. Raises `Problem` 400 for what is no host, 421 for a host of somebody else.

        Every browser sends one. Without it, as HTTP/1.0 allows, a request passes unless ALLOWED_HOSTS is set.
        """
        if header in self._good or (header is None and not self._listed):
            return
        header = header or ""
        host = split_host(header)
        if host is None and header:
            raise Problem(400, "Host: not a host name; expected a name or address, and a port of at most 65535")
        name = host[0] if host else ""
        if not (self._any or name in self._names or (self._suffixes and name.endswith(self._suffixes))):
            raise Problem(421, "Host: this service does not answer for it; add it to ALLOWED_HOSTS")
        if len(self._good) < _REMEMBERED:
            self._good.add(header)

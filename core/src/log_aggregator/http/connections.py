"""How many connections a client may hold, and which idle one makes room for a new one."""

from __future__ import annotations

from typing import Protocol

from log_aggregator.config.settings import Settings
from log_aggregator.http.access.clients import Clients

IDLE = 1.0
"""Seconds without a request under way after which a connection may be closed for another one."""


class Held(Protocol):
    """A connection, as far as it is counted."""

    @property
    def idle(self) -> float:
        """Seconds without a request under way; 0 while there is one, or an answer is not yet read."""

    def force_close(self) -> None:
        """Close it."""


class Connections:
    """The open connections of this process by client. Trusted proxies stand for many clients and have no limit."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ConfigError` when the trusted proxies are wrong."""
        self._most = settings.max_connections_client
        self._clients = Clients(settings.trusted_proxies)
        self._by_client: dict[str, dict[Held, None]] = {}

    def admit(self, connection: Held, peer: str) -> bool:
        """Count a new connection; `False` when its client has as many as it may, and none of them is idle."""
        client = self._clients.named(peer)
        held = self._by_client.get(client, {})
        if len(held) >= self._most and not self._clients.is_trusted(peer) and not self._close_one(client):
            return False
        self._by_client.setdefault(client, held)[connection] = None
        return True

    def left(self, connection: Held, peer: str) -> None:
        """Count a connection that is gone."""
        client = self._clients.named(peer)
        held = self._by_client.get(client)
        if held is not None:
            held.pop(connection, None)
            if not held:
                del self._by_client[client]

    def make_room(self) -> bool:
        """Close the idlest connection of the client that holds the most; `False` when none of it is idle."""
        greedy = max(self._by_client, key=lambda client: len(self._by_client[client]), default=None)
        return greedy is not None and self._close_one(greedy)

    def _close_one(self, client: str) -> bool:
        held = self._by_client[client]
        idlest = max(held, key=lambda connection: connection.idle)
        if idlest.idle < IDLE:
            return False
        del held[idlest]
        idlest.force_close()
        return True

"""What clients of a listener may take: connections, time and bytes of a frame, and memory over all listeners."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from log_aggregator.listeners.addresses import Network, address_of, client_of


class Limits(NamedTuple):
    """The limits of one listener. Without networks in `allow`, every address may send."""

    connections: int = 1000
    per_client: int = 500
    frame_bytes: int = 1024 * 1024
    frame_seconds: float = 30.0
    allow: tuple[Network, ...] = ()

    def allows(self, peer: str) -> bool:
        """Whether an address may send."""
        if not self.allow:
            return True
        address = address_of(peer)
        return address is not None and any(address in network for network in self.allow)


class Connections:
    """How many connections a listener has, in all and of each client."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_client: Counter[str] = Counter()
        self.open = 0

    def why_not(self, peer: str) -> str:
        """Why a connection of this address is refused: `address`, `connections` or `per_client`; empty when not."""
        if not self._limits.allows(peer):
            return "address"
        if self.open >= self._limits.connections:
            return "connections"
        return "per_client" if self._by_client[client_of(peer)] >= self._limits.per_client else ""

    def enter(self, peer: str) -> None:
        """Count a connection."""
        self.open += 1
        self._by_client[client_of(peer)] += 1

    def leave(self, peer: str) -> None:
        """Count a connection no more."""
        client = client_of(peer)
        self.open -= 1
        self._by_client[client] -= 1
        if not self._by_client[client]:
            del self._by_client[client]


class Memory:
    """The bytes that wait in buffers of connections, over all listeners of the process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.used = 0

    @property
    def is_scarce(self) -> bool:
        """Whether frames that are large already may grow no more."""
        return self.used > self._most

"""Who is calling: the address of the peer, or what a trusted proxy says of it."""

from __future__ import annotations

from aiohttp import web

from log_aggregator.errors import ConfigError
from log_aggregator.listeners.addresses import address_of, client_of, networks

_REMEMBERED = 1000


class Clients:
    """Tells clients apart. `trusted`: addresses or networks, by commas."""

    def __init__(self, trusted: str) -> None:
        try:
            self._trusted = networks(part.strip() for part in trusted.split(",") if part.strip())
        except ValueError as error:
            raise ConfigError(f"TRUSTED_PROXIES: {error}") from None
        self._known: dict[str, str] = {}

    def of(self, request: web.Request) -> str:
        """The client's address; for IPv6 its /64 network, which is what one customer gets.

        `X-Forwarded-For` is read from the right, as far as trusted proxies wrote it, and not at all when the peer
        is not trusted.
        """
        peer = request.remote or ""
        if self._trusted and self.is_trusted(peer):
            hops = [hop.strip() for line in request.headers.getall("X-Forwarded-For", ()) for hop in line.split(",")]
            for hop in reversed(hops):
                if address_of(hop) is None:
                    break
                peer = hop
                if not self.is_trusted(hop):
                    break
        return self.named(peer)

    def named(self, peer: str) -> str:
        """How the client at an address is called: the address, for IPv6 its /64 network."""
        known = self._known.get(peer)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[peer] = client_of(peer)
        return known

    def is_trusted(self, text: str) -> bool:
        """Whether an address is that of a trusted proxy."""
        address = address_of(text)
        return address is not None and any(address in network for network in self._trusted)

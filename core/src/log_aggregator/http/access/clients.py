"""Who is calling: the address of the peer, or what a trusted proxy says of it."""

from __future__ import annotations

import ipaddress

from aiohttp import web

from log_aggregator.errors import ConfigError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_REMEMBERED = 1000


class Clients:
    """Tells clients apart. `trusted`: addresses or networks, by commas."""

    def __init__(self, trusted: str) -> None:
        self._trusted = [_network(part.strip()) for part in trusted.split(",") if part.strip()]
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
                if _address(hop) is None:
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
            known = self._known[peer] = _named(peer)
        return known

    def is_trusted(self, text: str) -> bool:
        """Whether an address is that of a trusted proxy."""
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _named(peer: str) -> str:
    address = _address(peer)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address) if address else peer


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ConfigError(f"TRUSTED_PROXIES: {text!r}: expected an address or a network such as 10.0.0.0/8") from None

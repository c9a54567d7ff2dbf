"""Network addresses: of clients, of networks, and those that are listened on."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import NamedTuple

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

BACKLOG = 1024
RECEIVE_BUFFER = 4 * 1024 * 1024
"""Bytes of datagrams that the system is asked to hold; it may give less (`net.core.rmem_max`)."""


def address_of(text: str) -> Address | None:
    """The address that a text is, IPv4 where it is mapped into IPv6; `None` when it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def plain(text: str) -> str:
    """An address as people write it: IPv4 where it is mapped into IPv6."""
    address = address_of(text)
    return str(address) if address else text


def client_of(text: str) -> str:
    """Who a peer is for limits: its address, or for IPv6 its /64 network, which is what one customer gets."""
    address = address_of(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address) if address else text


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as written. Raises `ValueError` that names the wrong one."""
    return tuple(_network(text) for text in texts)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r}: expected an address or a network such as 10.0.0.0/8") from None


class Endpoint(NamedTuple):
    """An address to listen on; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """`0.0.0.0:5514`, `[::]:5514`, `localhost:5514`. Raises `ValueError`."""
        host, _, port = text.rpartition(":")
        host = {"localhost": "127.0.0.1"}.get(host, host.removeprefix("[").removesuffix("]"))
        if address_of(host) is None or not port.isascii() or not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"{text!r}: expected an address and a port such as 0.0.0.0:5514 or [::]:5514")
        return cls(host, int(port))

    def bind(self, kind: socket.SocketKind, *, is_shared: bool) -> socket.socket:
        """A socket on this address; with `is_shared` other processes of this user may have one too.

        The system deals connections and senders out among those. Raises `OSError`.
        """
        bound = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, kind)
        try:
            if is_shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if kind == socket.SOCK_STREAM:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            bound.bind((self.host, self.port))
            if kind == socket.SOCK_STREAM:
                bound.listen(BACKLOG)
            bound.setblocking(False)
        except OSError:
            bound.close()
            raise
        return bound

"""From where the service can be reached: what the start line tells a person in front of another machine."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

from log_aggregator.config.settings import Settings

_EVERY = frozenset({"0.0.0.0", "::"})  # noqa: S104  compared, not bound

_DOCUMENTATION = (socket.AF_INET, ("192.0.2.1", 9))
"""An address nobody has (RFC 5737). Connecting a UDP socket sends nothing, but chooses the network interface."""


def shown_host(host: str) -> str:
    """The host of the URL that works on this machine."""
    return "127.0.0.1" if host in _EVERY else host


def hint(settings: Settings) -> str:
    """How other machines reach the service, or which setting lets them."""
    if _is_loopback(settings.host):
        return "only this machine can connect; HOST=0.0.0.0 lets others in"
    if settings.host not in _EVERY:
        return f"other machines connect to {settings.host}"
    names = [_name(), _address()]
    return f"other machines connect to {' or '.join(filter(None, names)) or 'an address of this machine'}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name() -> str:
    """The name that a Raspberry Pi and most Linux machines announce by mDNS."""
    name = socket.gethostname()
    return name if "." in name else f"{name}.local"


def _address() -> str:
    family, target = _DOCUMENTATION
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(target)
        address: str = probe.getsockname()[0]
        return address
    return ""

"""Who can reach the service without showing who they are, and whether somebody has said that this is meant."""

from __future__ import annotations

import ipaddress
from typing import Literal

from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError

Access = Literal["keys", "client certificates", "loopback", "anonymous"]
"""What keeps strangers out; `anonymous`: nothing does."""


def access_of(settings: Settings) -> Access:
    """What keeps strangers out with these settings."""
    if settings.api_keys_file is not None:
        return "keys"
    if settings.tls_client_ca is not None:
        return "client certificates"
    return "loopback" if is_loopback(settings.host) else "anonymous"


def check_exposure(settings: Settings) -> None:
    """Raises `ConfigError` for a public address that is open to everyone, unless ALLOW_ANONYMOUS says so."""
    if access_of(settings) == "anonymous" and not settings.allow_anonymous:
        raise ConfigError(
            f"HOST {settings.host}: everyone who reaches this address could send and read logs. Make a key with "
            "`log-aggregator keys new NAME --file keys.toml` and set API_KEYS_FILE=keys.toml; or set TLS_CLIENT_CA; "
            "or listen on HOST=127.0.0.1; or set ALLOW_ANONYMOUS=1 if that is meant"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"

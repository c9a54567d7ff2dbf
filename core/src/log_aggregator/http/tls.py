"""TLS on the listener: the certificate, its key, and the CAs of client certificates, from files."""

from __future__ import annotations

import ssl
from pathlib import Path

from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError

HANDSHAKE = 10.0
"""Seconds that a client has for its handshake."""


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """What the listener speaks TLS with, read anew from the files; `None` without TLS_CERT. Raises `ConfigError`."""
    if settings.tls_cert is None:
        for name in ("tls_key", "tls_client_ca"):
            if getattr(settings, name) is not None:
                raise ConfigError(f"{name.upper()}: without TLS_CERT there is no TLS; set TLS_CERT too")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    key = settings.tls_key or settings.tls_cert
    _readable("TLS_CERT", settings.tls_cert)
    _readable("TLS_KEY", key)
    try:
        context.load_cert_chain(settings.tls_cert, key, password="")
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise ConfigError(
            f"TLS_CERT {settings.tls_cert}, TLS_KEY {key}: {reason}; expected PEM files of a certificate with "
            "its chain and of the key that belongs to it, without a password"
        ) from None
    if settings.tls_client_ca is not None:
        _readable("TLS_CLIENT_CA", settings.tls_client_ca)
        try:
            context.load_verify_locations(settings.tls_client_ca)
        except (ssl.SSLError, OSError):
            raise ConfigError(f"TLS_CLIENT_CA {settings.tls_client_ca}: expected a PEM file of certificates") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _readable(name: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{name} {path}: cannot be read: {error.strerror}") from None

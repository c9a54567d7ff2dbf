"""How our own commands speak TLS to a service: variables for a private CA and for a client certificate."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from log_aggregator.errors import ConfigError

CA, CERT, KEY = "LOG_AGGREGATOR_CA", "LOG_AGGREGATOR_CLIENT_CERT", "LOG_AGGREGATOR_CLIENT_KEY"
"""PEM files: the CAs to trust beside the system's, a certificate of ours, and its key."""


def client_context(environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """What a command speaks TLS with; `None`: as the system does. Raises `ConfigError` for files that are wrong."""
    ca, cert, key = (environ.get(name) or None for name in (CA, CERT, KEY))
    if ca is None and cert is None:
        return None
    context = ssl.create_default_context()
    try:
        if ca is not None:
            context.load_verify_locations(ca)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(f"{CA} {ca}: {_reason(error)}; expected a PEM file of certificates") from None
    try:
        if cert is not None:
            context.load_cert_chain(cert, key, password="")
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(f"{CERT} {cert}: {_reason(error)}; expected PEM files of a certificate and its key") from None
    return context


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__

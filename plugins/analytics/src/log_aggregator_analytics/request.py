"""The headers, signature and compression of a request."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import hmac
import time

from log_aggregator_analytics.config import AnalyticsConfig

_PREFIX = "whsec_"


def compress(body: bytes) -> bytes:
    """The body as gzip. Deterministic: equal bodies give equal bytes."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def headers_of(config: AnalyticsConfig, key: str, body: bytes) -> dict[str, str]:
    """All headers of a request with `body` (JSON, before compression)."""
    headers = dict(config.headers)
    if config.authorization.get_secret_value():
        headers["Authorization"] = config.authorization.get_secret_value()
    headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
    if config.gzip:
        headers["Content-Encoding"] = "gzip"
    secret = config.secret.get_secret_value()
    if secret:
        headers |= sign(secret, key, int(time.time()), body)
    return headers


def sign(secret: str, key: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The signature headers of the Standard Webhooks specification.

    The signature is HMAC-SHA256 over `key.timestamp.body`. It covers the body before compression, because some
    servers decompress it before the application sees it.
    """
    digest = hmac.new(_key_of(secret), f"{key}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": key,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key_of(secret: str) -> bytes:
    """The secret's bytes; the prefix form `whsec_<base64>` of the specification is decoded."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()

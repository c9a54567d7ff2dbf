"""Which metadata holds secrets: by the names of its keys, by its texts, at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

MASK = "[redacted:key]"

_SECRET_KEY = re.compile(
    r"(?:password|passwd|passphrase|passcode|pwd|secret|secrets|credential|credentials|apikey|accesskey|secretkey|privatekey"
    r"|signingkey|encryptionkey|accountkey|masterkey|authkey|token|tokens|jwt|bearer|authorization|cookie|cookies|sessiontoken"
    r"|connectionstring|connstring|connstr|dsn|otp|cvv|cvv\d|cvc|cardnumber|creditcard|pincode)\d{0,3}"
)
_ENDS_WITH = re.compile(
    r".*(?:password|passwd|passphrase|passcode|pwd|secret|credential|credentials|apikey|accesskey|secretkey|privatekey"
    r"|signingkey|encryptionkey|accountkey|masterkey|authorization|cookie|(?<!next)(?<!page)(?<!continuation)(?<!sync)token"
    r"|connectionstring|cardnumber|creditcard)\d{0,3}"
)
_COUNTS = frozenset({"tokens"})
_NO_LETTERS = re.compile(r"[^a-z0-9]+")
SMALLEST_CARD = 10**12


def is_secret_key(key: str) -> bool:
    """Whether a key names a secret: `dbPassword`, `X-Api-Key`, `aws_secret_access_key`, `Set-Cookie`."""
    name = _NO_LETTERS.sub("", key[:200].lower())
    if name in _COUNTS:
        return False
    return bool(_SECRET_KEY.fullmatch(name) or _ENDS_WITH.fullmatch(name))


def redact_metadata(
    metadata: Mapping[str, Any], redact: Callable[[str], str], key_is_secret: Callable[[str], bool]
) -> dict[str, Any]:
    """A copy of the metadata with its secrets masked; the given one is not changed.

    `redact` masks a text. The value of a key that names a secret is masked whole, whatever it holds;
    truth values, `null` and empty values stay.
    """
    out: dict[str, Any] = {}
    for key, value in metadata.items():
        if key_is_secret(key) and not _is_harmless(value):
            out[redact(key)] = MASK
        else:
            out[redact(key)] = redact_value(value, redact, key_is_secret)
    return out


def redact_value(value: Any, redact: Callable[[str], str], key_is_secret: Callable[[str], bool]) -> Any:
    """A value with the secrets inside masked."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return redact_metadata(value, redact, key_is_secret)
    if isinstance(value, list | tuple):
        return [redact_value(item, redact, key_is_secret) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value >= SMALLEST_CARD:
        text = str(value)
        masked = redact(text)
        return value if masked == text else masked
    return value


def _is_harmless(value: Any) -> bool:
    return value is None or isinstance(value, bool) or value in ("", [], {}) or value == MASK

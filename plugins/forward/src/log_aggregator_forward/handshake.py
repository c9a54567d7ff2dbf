"""The handshake with a shared key: HELO, PING, PONG. Both sides prove that they know it; it is never sent."""

from __future__ import annotations

import hmac
import secrets
import socket
from hashlib import sha512
from typing import Any


class Handshake:
    """One connection's. `helo` is sent first; `answer` says what to send to a PING."""

    def __init__(self, shared_key: str) -> None:
        self._key = shared_key.encode()
        self._nonce = secrets.token_bytes(16)
        self._name = socket.gethostname().encode()

    def helo(self) -> list[Any]:
        """The first message."""
        return ["HELO", {"nonce": self._nonce, "auth": b"", "keepalive": True}]

    def answer(self, ping: Any) -> tuple[list[Any], bool]:
        """The PONG to a PING, and whether the client knows the key."""
        if not isinstance(ping, list) or len(ping) < 4 or ping[0] not in ("PING", b"PING"):
            return self._refusal("expected PING"), False
        client, salt, digest = (_bytes(part) for part in ping[1:4])
        expected = sha512(salt + client + self._nonce + self._key).hexdigest().encode()
        if not hmac.compare_digest(expected, digest):
            return self._refusal("shared_key mismatch"), False
        proof = sha512(salt + self._name + self._nonce + self._key).hexdigest()
        return ["PONG", True, "", self._name.decode(), proof], True

    def _refusal(self, reason: str) -> list[Any]:
        return ["PONG", False, reason, "", ""]


def _bytes(part: Any) -> bytes:
    if isinstance(part, str):
        return part.encode("utf-8", "surrogateescape")
    return part if isinstance(part, bytes) else b""

"""Idempotency keys: an append with a key that is known is a duplicate.

Keys that clients chose and keys that the service made of a body are apart: those of bodies come with every request, so
they would push the others out. A key is kept as a hash of whose it is, the path and the key itself: two clients that
choose the same one do not meet.
"""

from __future__ import annotations

import hashlib
import sqlite3
from typing import NamedTuple

CLIENT_LIFETIME = 24 * 3600
"""Seconds for which a key that a client chose is remembered at most."""

AUTOMATIC_LIFETIME = 600
"""Seconds for which a key that was made of a body is remembered: longer than clients try again."""

PURGE_EVERY = 1000
"""Keys of one kind that are remembered before the old ones of that kind are forgotten."""

_AUTOMATIC = "auto:"


def client_key(owner: str, path: str, key: str) -> str:
    """The scope of a key that a client chose; `owner` is an API key or a plugin."""
    return _hash(owner.encode(), path.encode("utf-8", "surrogateescape"), key.encode("utf-8", "surrogatepass"))


def automatic_key(owner: str, path: str, body: bytes) -> str:
    """The scope of a key that is made of a body, for clients that send the same bytes again and choose no key."""
    return _AUTOMATIC + _hash(owner.encode(), path.encode("utf-8", "surrogateescape"), body)


def _hash(*parts: bytes) -> str:
    whole = hashlib.blake2b(digest_size=16)
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


class Known(NamedTuple):
    """What came with a key before: what identified the body, and how many of its records were accepted."""

    digest: bytes
    accepted: int


class Keys:
    """The two tables of keys. Each call takes the writer's connection and runs in its transaction."""

    def __init__(self, most: int) -> None:
        """`most`: keys that are remembered of each kind."""
        self._client = _Table("keys", CLIENT_LIFETIME, most)
        self._automatic = _Table("automatic_keys", AUTOMATIC_LIFETIME, most)

    def find(self, connection: sqlite3.Connection, key: str, now: int) -> Known | None:
        """What came with this key before; `now` in seconds."""
        return self._table_of(key).find(connection, key, now)

    def remember(self, connection: sqlite3.Connection, key: str, known: Known, now: int) -> None:
        """Remember a key, and now and then forget old ones of its kind."""
        self._table_of(key).remember(connection, key, known, now)

    def _table_of(self, key: str) -> _Table:
        return self._automatic if key.startswith(_AUTOMATIC) else self._client


class _Table:
    def __init__(self, name: str, lifetime: int, most: int) -> None:
        self._lifetime = lifetime
        self._most = most
        self._since_purge = 0
        # Only the names above are put in.
        self._find = f"SELECT digest, accepted FROM {name} WHERE key = ? AND at >= ?"  # noqa: S608
        self._remember = f"INSERT OR REPLACE INTO {name} (key, digest, accepted, at) VALUES (?, ?, ?, ?)"  # noqa: S608
        self._purge_old = f"DELETE FROM {name} WHERE at < ?"  # noqa: S608
        self._purge_many = f"DELETE FROM {name} WHERE number <= (SELECT max(number) FROM {name}) - ?"  # noqa: S608

    def find(self, connection: sqlite3.Connection, key: str, now: int) -> Known | None:
        row = connection.execute(self._find, (key, now - self._lifetime)).fetchone()
        return None if row is None else Known(*row)

    def remember(self, connection: sqlite3.Connection, key: str, known: Known, now: int) -> None:
        connection.execute(self._remember, (key, *known, now))
        self._since_purge += 1
        if self._since_purge >= PURGE_EVERY:
            self._since_purge = 0
            connection.execute(self._purge_old, (now - self._lifetime,))
            connection.execute(self._purge_many, (self._most,))

"""Chunks of a datagram that was too large for one → the datagram.

https://go2docs.graylog.org/current/getting_in_log_data/gelf.html: two magic bytes, eight of a message id, the number of
the chunk and how many there are, at most 128; a message is dropped when it is not whole after five seconds.
"""

from __future__ import annotations

from collections import OrderedDict

MAGIC = b"\x1e\x0f"
HEADER = 12
MOST_CHUNKS = 128
LIFETIME = 5.0

MOST_MESSAGES = 1000
MOST_BYTES = 16 * 1024 * 1024
"""What messages that are not whole may take together; beyond it the oldest goes."""


class _Parts:
    __slots__ = ("begun", "parts", "size", "total")

    def __init__(self, total: int, begun: float) -> None:
        self.total = total
        self.begun = begun
        self.parts: dict[int, bytes] = {}
        self.size = 0


class Chunks:
    """Messages that are not whole yet, of all senders. `dropped` counts those that never were."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, bytes], _Parts] = OrderedDict()
        self._bytes = 0
        self.dropped = 0

    def add(self, data: bytes, peer: str, now: float) -> bytes | None:
        """The whole message, once the last chunk is there; `now` in seconds of any clock."""
        self._expire(now)
        if len(data) <= HEADER:
            self.dropped += 1
            return None
        number, total = data[10], data[11]
        if not number < total <= MOST_CHUNKS:
            self.dropped += 1
            return None
        key = (peer, data[2:10])
        message = self._waiting.get(key)
        if message is None or message.total != total:
            if message is not None:
                self._drop(key)
            message = self._waiting[key] = _Parts(total, now)
        if number not in message.parts:
            message.parts[number] = data[HEADER:]
            message.size += len(data) - HEADER
            self._bytes += len(data) - HEADER
        if len(message.parts) == total:
            self._forget(key)
            return b"".join(message.parts[one] for one in range(total))
        while len(self._waiting) > MOST_MESSAGES or self._bytes > MOST_BYTES:
            self._drop(next(iter(self._waiting)))
        return None

    def _expire(self, now: float) -> None:
        while self._waiting:
            key = next(iter(self._waiting))
            if now - self._waiting[key].begun < LIFETIME:
                return
            self._drop(key)

    def _drop(self, key: tuple[str, bytes]) -> None:
        self.dropped += 1
        self._forget(key)

    def _forget(self, key: tuple[str, bytes]) -> None:
        self._bytes -= self._waiting.pop(key).size

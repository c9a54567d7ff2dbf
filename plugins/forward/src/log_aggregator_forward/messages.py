"""The messages of one connection, in MessagePack or in JSON: the first byte says which."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgpack
import msgspec

from log_aggregator.receivers import Connection
from log_aggregator_forward.decoding import ProtocolError, unpacker
from log_aggregator_forward.json_form import JsonMessages

BROKEN = (ValueError, TypeError, OverflowError, RecursionError, msgpack.exceptions.UnpackException)
"""What msgpack raises for bytes that are none of its own: a list as a key is a `TypeError`."""

_JSON = (b"[", b"{")
"""How JSON begins. A message is an array, which never begins so in MessagePack: there these are small numbers."""


class Messages:
    """Reads and writes the messages of a connection."""

    def __init__(self, opened: Connection) -> None:
        self._opened = opened
        self._fed = self._read = 0
        self._stream: msgpack.Unpacker | JsonMessages | None = None

    async def read(self) -> AsyncIterator[Any]:
        """The messages, one after the other. Raises `ProtocolError`."""
        while True:
            try:
                for message in self._stream or ():
                    if isinstance(self._stream, msgpack.Unpacker):
                        self._read = self._stream.tell()
                    yield message
                data = await self._opened.read(held=self._held)
                if not data:
                    return
                if self._stream is None:
                    self._stream = JsonMessages() if data[:1] in _JSON else unpacker()
                self._stream.feed(data)
                self._fed += len(data)
            except (*BROKEN, msgpack.exceptions.BufferFull) as error:
                raise ProtocolError(f"what came cannot be unpacked: {type(error).__name__}") from None

    @property
    def _held(self) -> int:
        """The bytes of a message that is not whole."""
        if isinstance(self._stream, JsonMessages):
            return self._stream.held
        return self._fed - self._read

    async def write(self, message: Any) -> None:
        """Send a message in the form that the client speaks."""
        is_json = isinstance(self._stream, JsonMessages)
        await self._opened.write(msgspec.json.encode(message) if is_json else msgpack.packb(message))

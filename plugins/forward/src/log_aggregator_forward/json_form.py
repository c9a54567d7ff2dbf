"""The Forward protocol in JSON, as some libraries send it: the same messages, one behind the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from log_aggregator_forward.decoding import ProtocolError

LARGEST = 4 * 1024 * 1024
"""Bytes of a message."""

_TOKEN = re.compile(rb'[\[\]{}"\\]')
_OPENING = frozenset(b"[{")
_QUOTE, _BACKSLASH = b'"\\'


class JsonMessages:
    """Finds where messages end, looking at each byte once; is fed the bytes of a connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._looked = self._escaped = 0
        self._depth = 0
        self._in_text = False

    @property
    def held(self) -> int:
        """The bytes of a message that is not whole."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take in what came."""
        self._buffer += data

    def __iter__(self) -> Iterator[Any]:
        """The messages that are whole now. Raises `ProtocolError`."""
        while (end := self._end()) is not None:
            message = bytes(self._buffer[:end])
            del self._buffer[:end]
            self._looked = self._escaped = 0
            try:
                yield msgspec.json.decode(message)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                raise ProtocolError("a message is not JSON") from None
        if len(self._buffer) > LARGEST:
            raise ProtocolError(f"a message of more than {LARGEST} bytes")

    def _end(self) -> int | None:
        """Where the first message ends; `None` when it goes on."""
        for token in _TOKEN.finditer(self._buffer, self._looked):
            at = token.start()
            self._looked = at + 1
            byte = self._buffer[at]
            if self._in_text:
                if at < self._escaped:
                    continue
                if byte == _BACKSLASH:
                    self._escaped = at + 2
                elif byte == _QUOTE:
                    self._in_text = False
            elif byte == _QUOTE:
                self._in_text = True
            elif byte != _BACKSLASH:
                self._depth += 1 if byte in _OPENING else -1
                if self._depth <= 0:
                    self._depth = 0
                    return at + 1
        self._looked = len(self._buffer)
        return None

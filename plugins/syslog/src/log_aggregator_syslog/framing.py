"""Bytes of a TCP connection → syslog messages: RFC 6587, decided for each message.

A message is either counted (`17 <14>…`) or ends with LF or NUL. A line that begins with neither a priority nor a count
goes on with the message before it, when that one began with a priority: some senders put raw line ends into a message.
"""

from __future__ import annotations

import re

_COUNTED = re.compile(rb"([1-9]\d{0,8}) (?=<)")
_MAY_BE_COUNT = re.compile(rb"[1-9]\d{0,8}(?: ?$)")
_END = re.compile(rb"[\n\x00]")
_BEGINS = re.compile(rb"<|[1-9]\d{0,8} <")


NOT_A_COUNT = 16 * 1024 * 1024
"""A count beyond it is none that a sender meant: what follows it cannot be found."""


class FrameError(Exception):
    """What came is not syslog; the messages before it were given out."""


class Framer:
    """Collects the bytes of one connection."""

    def __init__(self, largest: int) -> None:
        """`largest`: bytes at which a message is cut."""
        self._largest = largest
        self._buffer = bytearray()
        self._open: bytes | None = None
        self._to_skip = 0
        self.broken = 0

    @property
    def pending(self) -> bool:
        """Whether a whole message waits for a line that may belong to it."""
        return self._open is not None

    @property
    def held(self) -> int:
        """The bytes of a message that is not whole."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now. Raises `FrameError`."""
        self._buffer += data
        messages: list[bytes] = []
        at = self._skip(0)
        while at < len(self._buffer):
            end = self._next(at, messages)
            if end is None:
                break
            at = end
        del self._buffer[:at]
        return messages

    def finish(self) -> list[bytes]:
        """The message that waited. Bytes that are no whole message are no message: they are counted in `broken`."""
        self.broken += bool(self._buffer)
        self._buffer.clear()
        return self.release()

    def release(self) -> list[bytes]:
        """The message that waited for another line, which did not come."""
        message, self._open = self._open, None
        return [] if message is None else [message]

    def _next(self, at: int, messages: list[bytes]) -> int | None:
        counted = _COUNTED.match(self._buffer, at)
        if counted is not None:
            return self._counted(int(counted[1]), counted.end(), messages)
        ends = _END.search(self._buffer, at)
        if ends is None:
            if len(self._buffer) - at > self._largest:
                messages += self.release()
                messages.append(bytes(self._buffer[at : at + self._largest]))
                return at + self._largest
            return None
        self._line(bytes(self._buffer[at : ends.start()]), ends[0] == b"\n", messages)
        return ends.end()

    def _counted(self, size: int, begin: int, messages: list[bytes]) -> int | None:
        if size > NOT_A_COUNT:
            if messages or self._open is not None:
                return None  # the messages before go first; the next call comes here again
            raise FrameError(f"a message of {size} bytes")
        end = begin + min(size, self._largest)
        if end > len(self._buffer):
            return None
        messages += self.release()
        messages.append(bytes(self._buffer[begin:end]))
        self._to_skip = begin + size - end
        return end + self._skip(end)

    def _skip(self, at: int) -> int:
        """How many bytes from `at` on belong to the rest of a message that was cut."""
        passed = min(self._to_skip, len(self._buffer) - at)
        self._to_skip -= passed
        return passed

    def _line(self, line: bytes, may_go_on: bool, messages: list[bytes]) -> None:
        goes_on = self._open is not None and line and not _BEGINS.match(line)
        if goes_on and self._open is not None and len(self._open) + len(line) < self._largest:
            self._open += b"\n" + line
        else:
            messages += self.release()
            if line.strip():
                self._open = line
        if self._open is not None and not (may_go_on and self._open.startswith(b"<")):
            messages += self.release()

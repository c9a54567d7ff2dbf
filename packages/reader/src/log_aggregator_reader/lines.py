r"""Bytes to lines. Only `\n` ends one: U+2028, form feeds and separators of files are part of a message."""

from __future__ import annotations

from typing import NamedTuple

LONGEST_LINE = 8 * 1024 * 1024
"""Bytes of a line that are kept; a mark tells how long it was."""

MARK = b"\xe2\x80\xa6 [cut, %d bytes]"


class Line(NamedTuple):
    """A line without its end, and the bytes of the file that it takes: from `start` to `end`, its newline included."""

    text: bytes
    start: int
    end: int
    time: str = ""
    """The time that the container runtime wrote beside it."""


class LineSplitter:
    """Splits chunks as they come. A line longer than `longest` is cut with a mark, and never held as a whole."""

    def __init__(self, start: int = 0, longest: int = LONGEST_LINE) -> None:
        """`start` is where in the file the first chunk begins."""
        self._start = start
        self._longest = longest
        self._parts: list[bytes] = []
        self._kept = self._length = 0

    @property
    def position(self) -> int:
        """Where the line begins that has no end yet."""
        return self._start

    @property
    def is_empty(self) -> bool:
        """Whether no line waits for its end."""
        return not self._length

    def feed(self, chunk: bytes) -> list[Line]:
        """The lines that end in this chunk."""
        first, *others = chunk.split(b"\n")
        self._add(first)
        if not others:
            return []
        found = [self._finish(1)]
        at = self._start
        longest = self._longest
        for line in others[:-1]:
            end = at + len(line) + 1
            found.append(Line(line if len(line) <= longest else _cut(line[:longest], len(line)), at, end))
            at = end
        self._start = at
        self._add(others[-1])
        return found

    def rest(self) -> Line | None:
        """The last line when it has no newline; nothing is left behind."""
        return self._finish(0) if self._length else None

    def _add(self, part: bytes) -> None:
        self._length += len(part)
        room = self._longest - self._kept
        if room > 0 and part:
            self._parts.append(part[:room])
            self._kept += min(room, len(part))

    def _finish(self, newline: int) -> Line:
        text = b"".join(self._parts)
        line = Line(
            text if self._length <= self._longest else _cut(text, self._length),
            self._start,
            self._start + self._length + newline,
        )
        self._start = line.end
        self._parts, self._kept, self._length = [], 0, 0
        return line


def _cut(text: bytes, length: int) -> bytes:
    return text + MARK % length

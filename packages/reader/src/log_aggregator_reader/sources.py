"""Files that are read at a position: plain ones, and compressed ones, whose position is that of the text inside."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from log_aggregator_reader.compression import LONGEST_MAGIC, is_compressed, unpacked

CHUNK = 1 << 20

HEAD, LAST = 1024, 256
"""Bytes at the beginning of a file and before a position by which the file is known again."""


class Source:
    """An open file. Plain ones may grow; `is_packed` ones are complete."""

    def __init__(self, path: Path) -> None:
        """Raises `OSError` when the file cannot be opened."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.is_packed = is_compressed(os.pread(self._descriptor, LONGEST_MAGIC, 0))
        except OSError:
            os.close(self._descriptor)
            raise
        status = os.fstat(self._descriptor)
        self.identity = (status.st_dev, status.st_ino)
        self._text: Iterator[bytes | None] = iter(())
        self._at = 0
        self._rest = b""
        self._begun = False
        self._problem: ValueError | None = None

    @property
    def mtime(self) -> int:
        """When it was last written to, in nanoseconds."""
        return os.fstat(self._descriptor).st_mtime_ns

    @property
    def state(self) -> tuple[int, int]:
        """Its size and the time of its last change: the same as long as nobody wrote to it."""
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns

    @property
    def size(self) -> int:
        """Bytes in the file, as they are on disk."""
        return os.fstat(self._descriptor).st_size

    def read_at(self, position: int, size: int) -> bytes:
        """Up to `size` bytes of text at a position; fewer only at the end.

        Raises `ValueError` when compressed data is broken or ends too early.
        """
        if self.is_packed:
            return self._unpack_at(position, size)
        parts: list[bytes] = []
        while size > 0:
            part = os.pread(self._descriptor, size, position)
            if not part:
                break
            parts.append(part)
            position += len(part)
            size -= len(part)
        return b"".join(parts)

    def is_whole(self) -> bool:
        """Whether compressed data can be read to its end; false while another program is still writing it."""
        if not self.is_packed:
            return True
        try:
            for _ in unpacked(self._chunks()):
                pass
        except ValueError:
            return False
        return True

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _unpack_at(self, position: int, size: int) -> bytes:
        if not self._begun or position < self._at:
            self._begun, self._at, self._rest, self._problem = True, 0, b"", None
            self._text = unpacked(self._chunks())
        while self._at + len(self._rest) < position + size:
            chunk = self._next()
            if not chunk:
                break
            if self._at + len(self._rest) <= position:
                self._at, self._rest = self._at + len(self._rest), chunk
            else:
                self._rest += chunk
        skipped = max(0, position - self._at)
        text = self._rest[skipped : skipped + size]
        if self._problem is not None and not text:
            raise self._problem
        return text

    def _next(self) -> bytes | None:
        """The next unpacked piece. What is wrong with the data is told when everything before it was read."""
        try:
            return next(self._text, None) if self._problem is None else None
        except ValueError as error:
            self._problem = error
            return None

    def _chunks(self) -> Iterator[bytes]:
        position = 0
        while chunk := os.pread(self._descriptor, CHUNK, position):
            position += len(chunk)
            yield chunk


class Fingerprint(NamedTuple):
    """What a file held at its beginning and before a position: a file that was cut and written anew holds otherwise."""

    head_size: int = 0
    head: str = ""
    last_size: int = 0
    last: str = ""

    @staticmethod
    def of(head: bytes, last: bytes) -> Fingerprint:
        """That of a file which holds these bytes at its beginning and before the position."""
        return Fingerprint(len(head), _hash(head), len(last), _hash(last))

    def has_head_of(self, source: Source) -> bool:
        """Whether a file begins with the same bytes."""
        return self.head == _hash(source.read_at(0, self.head_size))

    def matches(self, source: Source, position: int) -> bool:
        """Whether the file still holds the same, as far as the position."""
        if not source.is_packed and source.size < position:
            return False
        try:
            last = source.read_at(position - self.last_size, self.last_size)
            return self.last == _hash(last) and self.has_head_of(source)
        except ValueError:
            return False


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=10).hexdigest()

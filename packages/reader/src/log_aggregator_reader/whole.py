"""Files and pipes that are read once, from their beginning to their end."""

from __future__ import annotations

import codecs
import os
import select
from collections.abc import Iterable, Iterator
from pathlib import Path

from log_aggregator_reader.compression import unpacked
from log_aggregator_reader.containers import Assembler
from log_aggregator_reader.joining import Record
from log_aggregator_reader.lines import LineSplitter

IDLE = 1.0
"""Seconds without input after which what has come should go on."""

_CHUNK = 1 << 20


class Input:
    """An open file or pipe. `read` counts its bytes as they are on disk."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.read = 0

    @staticmethod
    def of(path: Path) -> Input:
        """Open a file. Raises `OSError`."""
        return Input(os.open(path, os.O_RDONLY | os.O_CLOEXEC))

    def close(self) -> None:
        """Close it."""
        os.close(self.descriptor)

    def text(self) -> Iterator[bytes | None]:
        """What is in it, unpacked, as UTF-8; `None` whenever nothing has come for `IDLE` seconds.

        Raises `ValueError` when compressed data is broken or ends too early.
        """
        return _as_utf_8(unpacked(self._chunks()))

    def _chunks(self) -> Iterator[bytes | None]:
        while True:
            if not select.select([self.descriptor], [], [], IDLE)[0]:
                yield None
                continue
            chunk = os.read(self.descriptor, _CHUNK)
            if not chunk:
                return
            self.read += len(chunk)
            yield chunk


def records(chunks: Iterable[bytes | None], *, is_joined: bool = True) -> Iterator[Record | None]:
    """The records of a text; `None` when it pauses, after the record that was open."""
    splitter, assembler = LineSplitter(), Assembler(is_joined=is_joined)
    for chunk in chunks:
        if chunk is None:
            yield from assembler.flush()
            yield None
            continue
        for line in splitter.feed(chunk):
            yield from assembler.push(line)
    last = splitter.rest()
    if last is not None:
        yield from assembler.push(last)
    yield from assembler.flush()


def _as_utf_8(chunks: Iterator[bytes | None]) -> Iterator[bytes | None]:
    """UTF-16, which some Windows programs write, becomes UTF-8; its byte order mark and that of UTF-8 go."""
    first = next((chunk for chunk in chunks if chunk), b"")
    if not (first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\0" in first):
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    yield decoder.decode(first).encode("utf-8", "replace")
    for chunk in chunks:
        yield chunk if chunk is None else decoder.decode(chunk).encode("utf-8", "replace")

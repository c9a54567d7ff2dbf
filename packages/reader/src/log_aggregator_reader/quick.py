"""The records of a text that is read once, where nobody asks for places: plain lines together, others one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from log_aggregator_reader.containers import Assembler
from log_aggregator_reader.lines import LONGEST_LINE, Line, LineSplitter

_PIECE = 1 << 16
"""Bytes that are looked through at once; one line of a trace costs only its piece."""

_MAY_BELONG = re.compile(
    rb"\n(?:[ \t]|Caused by: |Suppressed: |\.\.\. \d|--- End|---> |#\d|Stack trace:|\S+\.rb:\d|stack backtrace:|note: "
    rb"|goroutine |created by |exit status |\[signal |\*\* \(|[}\])]+[;,]?\s*?(?=\n|$)"
    rb"|(?:[A-Za-z_$][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)"
    rb"|(?:[A-Z]\w{0,60})?(?:Error|Exception)(?: \[\w+\])?(?::|\s*?(?=\n|$))"
    rb"|panic: |fatal error: |SIG[A-Z]+: |thread '|Next )"
)
"""Whether any line may continue the one before it, or begin a trace: all that `joining` looks for, and more."""

_ANYWHERE = (b"Traceback (most recent", b'\n{"log":', b" stdout ", b" stderr ")
"""Signs of a trace of Python, or of a container's lines."""


def quick_records(chunks: Iterable[bytes | None]) -> Iterator[bytes | list[bytes]]:
    r"""The texts of the records, as `whole.records` finds them.

    Bytes are records of one line each, separated by `\n`; a list holds records that may have several lines.
    """
    return _Quick().read(chunks)


class _Quick:
    def __init__(self) -> None:
        self._splitter = LineSplitter()
        self._assembler = Assembler()

    def read(self, chunks: Iterable[bytes | None]) -> Iterator[bytes | list[bytes]]:
        """Read all chunks."""
        for chunk in chunks:
            if chunk is None:
                yield self._flushed()
                continue
            start = 0
            if not self._splitter.is_empty:
                start = chunk.find(b"\n") + 1
                if not start:
                    self._splitter.feed(chunk)
                    continue
                yield self._slow(chunk[:start])
            end = chunk.rfind(b"\n") + 1
            while start < end:
                stop = end if end - start <= _PIECE else chunk.rfind(b"\n", start, start + _PIECE) + 1
                stop = stop or chunk.find(b"\n", start + _PIECE) + 1
                yield from self._piece(chunk[start:stop])
                start = stop
            self._splitter.feed(chunk[end:] if end else chunk[start:])
        last = self._splitter.rest()
        if last is not None:
            yield [record.text for record in self._assembler.push(last)]
        yield self._flushed()

    def _piece(self, piece: bytes) -> Iterator[bytes | list[bytes]]:
        """Records of whole lines."""
        if not self._is_plain(piece):
            yield self._slow(piece)
            return
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n")
        every = piece.split(b"\n")
        lines = [line for line in every if line and not line.isspace()]
        if lines:
            yield self._flushed()
            if len(lines) > 1:
                yield b"\n".join(lines[:-1])
            self._assembler.push(Line(lines[-1], -1, -1))  # before whatever comes after it
        if not lines or not every[-2] or every[-2].isspace():  # a blank line behind it decides what may continue it
            self._assembler.push(Line(b"", 0, 0))

    def _is_plain(self, piece: bytes) -> bool:
        return (
            self._assembler.is_outside
            and len(piece) <= LONGEST_LINE
            and not any(sign in piece for sign in _ANYWHERE)
            and not _MAY_BELONG.search(b"\n" + piece)
            and not piece.startswith(b'{"log":')
        )

    def _slow(self, piece: bytes) -> list[bytes]:
        push = self._assembler.push
        return [record.text for line in self._splitter.feed(piece) for record in push(line)]

    def _flushed(self) -> list[bytes]:
        return [record.text for record in self._assembler.flush()]

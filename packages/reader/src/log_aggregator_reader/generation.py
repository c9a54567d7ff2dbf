"""One file on its way from being written to being rotated: how far it was read, and how it is known again."""

from __future__ import annotations

import time
import uuid
from typing import Any, NamedTuple

from log_aggregator_reader.containers import Assembler
from log_aggregator_reader.joining import Record
from log_aggregator_reader.lines import LineSplitter
from log_aggregator_reader.sources import HEAD, LAST, Fingerprint, Source

LINGER = 60.0
"""Seconds without a new byte after which a file that was rotated is done: its writer may still have it open."""

LAST_LINE_PAUSE = 5.0
"""Seconds after which the end of a rotated file counts as a line, though it has no newline."""


class Limits(NamedTuple):
    """How much is read at once, and after how many seconds without a new byte an open record is complete."""

    records: int = 1000
    size: int = 1 << 20
    idle: float = 1.0


class Part(NamedTuple):
    """Records of one file and the bytes that they take."""

    records: list[Record]
    start: int
    end: int


class ReplacedError(Exception):
    """The file does not hold any more what was read of it: it was cut and written anew."""


class Generation:
    """A file of a path that is followed. `is_current`: it is the one that has this path now."""

    def __init__(self, *, is_joined: bool, saved: dict[str, Any] | None = None) -> None:
        saved = saved or {}
        self.id: str = saved.get("id") or uuid.uuid4().hex[:16]
        self.identity: tuple[int, int] = (saved.get("dev", -1), saved.get("ino", -1))
        self.position: int = saved.get("pos", 0)
        self.mtime: int = saved.get("mtime", 0)
        self.is_done: bool = saved.get("done", False)
        self.is_current = False
        self.is_final = False
        """Nobody writes to it any more: it is compressed, or a copy."""
        self._fingerprint = Fingerprint(*saved.get("is", ()))
        self._is_joined = is_joined
        self._source: Source | None = None
        self._head = self._last = b""
        self._size = -1
        self._read_at = (-1, -1)
        self._grew = time.monotonic()

    def saved(self) -> dict[str, Any]:
        """What is remembered of it, as `saved` takes it."""
        device, inode = self.identity
        kept: dict[str, Any] = {
            "id": self.id, "dev": device, "ino": inode, "pos": self.position, "mtime": self.mtime,
            "is": list(self._print()),
        }  # fmt: skip
        return kept | {"done": True} if self.is_done else kept

    @property
    def is_open(self) -> bool:
        """Whether its file is at hand."""
        return self._source is not None

    @property
    def is_unseen(self) -> bool:
        """Whether it was empty when it was looked at."""
        return self._print().head_size == 0

    def is_in(self, source: Source) -> bool:
        """Whether a file holds what was seen of this one; never when nothing was seen."""
        seen = self._print()
        return seen.head_size > 0 and seen.matches(source, self.position)

    def begins_like(self, source: Source) -> bool:
        """Whether a file holds less than was read of this one, but the same."""
        seen = self._print()
        return 0 < seen.head_size <= source.size < self.position and seen.has_head_of(source)

    def attach(self, source: Source, *, is_current: bool) -> None:
        """Go on in an open file, at the position. Raises `OSError` and `ValueError` when it cannot be read."""
        self.close()
        self._head = source.read_at(0, HEAD)
        last = min(LAST, self.position)
        self._last = source.read_at(self.position - last, last)
        self.identity, self.is_current, self.is_final = source.identity, is_current, source.is_packed
        self.mtime, self._source, self._size, self._grew = source.mtime, source, -1, time.monotonic()
        self._read_at = (-1, -1)

    def peek(self) -> None:
        """Learn how the file begins before it is its turn: if it is cut until then, its copy must be found."""
        if self._source is not None and len(self._head) < HEAD and not self._source.is_packed:
            head = self._source.read_at(0, HEAD)
            if head.startswith(self._head):
                self._head = head

    def skip_to_end(self) -> None:
        """Leave out what is in the file now, up to its last newline."""
        assert self._source is not None
        size = self._source.size
        while size > 0:
            start = max(0, size - (1 << 16))
            newline = self._source.read_at(start, size - start).rfind(b"\n")
            if newline >= 0:
                self.position = start + newline + 1
                break
            size = start
        source, self._source = self._source, None
        self.attach(source, is_current=self.is_current)

    def close(self) -> None:
        """Close the file."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def finish(self) -> None:
        """There is nothing more to read."""
        self.close()
        self.is_done, self.is_current = True, False

    def read(self, limits: Limits) -> Part | None:
        """The next complete records; `None` when there are none yet.

        A record that a later line may continue is complete once the file has rested for `limits.idle` seconds.
        Raises `ReplacedError`, and `ValueError` when compressed data is broken.
        """
        source = self._source
        if source is None or source.state == self._read_at:
            return None
        state = source.state
        splitter, assembler = LineSplitter(self.position), Assembler(is_joined=self._is_joined)
        records: list[Record] = []
        data, beginning = self._last, b""
        at = done = self.position
        is_at_end = is_full = False
        while not (is_at_end or is_full) and done == self.position:
            chunk = source.read_at(at, limits.size)
            is_at_end = len(chunk) < limits.size
            at += len(chunk)
            beginning = beginning or chunk[:HEAD]
            data = data + chunk if len(data) < 4 * limits.size else data[-LAST:] + chunk
            for line in splitter.feed(chunk):
                records += assembler.push(line)
                done = line.end
                is_full = len(records) >= limits.records
                if is_full:
                    break
        if is_at_end:
            self._note_growth(at)
        # Only now is it sure that no other file was read: cutting cannot be taken back.
        head = (self._head[: self.position] + beginning)[:HEAD]
        shorter, longer = sorted((self._head, head), key=len)
        seen = Fingerprint.of(longer, self._last)
        if not longer.startswith(shorter) or not (source.is_packed or seen.matches(source, self.position)):
            raise ReplacedError
        self._head = longer
        if is_at_end and not is_full and self._is_complete(LAST_LINE_PAUSE) and (last := splitter.rest()):
            records += assembler.push(last)
            done = last.end
        cut = done
        if is_full or not self._ends_record(is_at_end, records, limits):
            cut = done if assembler.open_since is None else assembler.open_since
        else:
            records += assembler.flush()
        records, cut = _before(records, cut)
        if is_at_end and not is_full and cut == at and not source.is_packed:
            self._read_at = state  # until it changes there is nothing to read
        return self._advance(records, cut, data[: len(data) - (at - cut)])

    def read_exactly(self, start: int, end: int) -> list[Record]:
        """The records of a range that was read before: the same ones. The position stays."""
        assert self._source is not None
        splitter, assembler = LineSplitter(start), Assembler(is_joined=self._is_joined)
        records: list[Record] = []
        for line in splitter.feed(self._source.read_at(start, end - start)):
            records += assembler.push(line)
        if last := splitter.rest():
            records += assembler.push(last)
        records += assembler.flush()
        return sorted(records, key=lambda record: record.start)

    def is_exhausted(self) -> bool:
        """Whether everything was read and nobody will write more; to be asked after `read` found nothing."""
        return self._is_complete(LINGER)

    def _is_complete(self, pause: float) -> bool:
        return not self.is_current and (self.is_final or self._rests(pause))

    def _ends_record(self, is_at_end: bool, records: list[Record], limits: Limits) -> bool:
        """Whether the open record is complete: nothing more comes, or it alone fills what is read at once."""
        return self._rests(limits.idle) or self._is_complete(limits.idle) if is_at_end else not records

    def _advance(self, records: list[Record], cut: int, before: bytes) -> Part | None:
        """Move the position to `cut`; `before` are bytes before it."""
        start = self.position
        if cut == start:
            return None
        assert self._source is not None
        self._last = before[-min(LAST, cut) :]
        self.position, self.mtime = cut, self._source.mtime
        return Part(records, start, cut)

    def _print(self) -> Fingerprint:
        return Fingerprint.of(self._head, self._last) if self.is_open or self._head else self._fingerprint

    def _note_growth(self, size: int) -> None:
        if size != self._size:
            self._size, self._grew = size, time.monotonic()

    def _rests(self, seconds: float) -> bool:
        return self._size >= 0 and time.monotonic() - self._grew >= seconds


def _before(records: list[Record], cut: int) -> tuple[list[Record], int]:
    """Records of one range without gaps: those of two streams may lie across each other."""
    records.sort(key=lambda record: record.start)
    while across := [record.start for record in records if record.start < cut < record.end]:
        cut = min(across)
    return [record for record in records if record.end <= cut], cut

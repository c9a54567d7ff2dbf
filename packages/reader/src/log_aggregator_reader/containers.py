"""Lines as container runtimes write them: the program's line is inside, with its time and its stream."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from log_aggregator_reader.joining import Joiner, Record
from log_aggregator_reader.lines import Line

_CRI = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) (stdout|stderr) ([FP])(?::\S*)? ?")
"""What containerd and CRI-O write before each line: time, stream, full or partial."""

_DOCKER = b'{"log":'
_DOCKER_KEYS = frozenset({"log", "stream", "time", "attrs"})


class Wrapped(NamedTuple):
    """A program's line; `is_partial`: the next one of the same stream goes on with it."""

    text: bytes
    time: str
    stream: str
    is_partial: bool


def unwrap(line: bytes) -> Wrapped | None:
    """What is inside a line of Docker's json-file or of CRI; `None` for every other line."""
    start = line[:1]
    if start == b"{":
        return _docker(line) if line.startswith(_DOCKER) else None
    if start.isdigit():
        found = _CRI.match(line)
        if found:
            time, stream, flag = found.groups()
            return Wrapped(line[found.end() :], time.decode(), stream.decode(), flag == b"P")
    return None


def _docker(line: bytes) -> Wrapped | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    text, time, stream = entry.get("log"), entry.get("time"), entry.get("stream")
    if not (
        isinstance(text, str) and isinstance(time, str) and isinstance(stream, str) and entry.keys() <= _DOCKER_KEYS
    ):
        return None
    # Docker cuts lines at 16 KiB; only the last piece has the newline.
    return Wrapped(text.removesuffix("\n").encode("utf-8", "replace"), time, stream, not text.endswith("\n"))


class Assembler:
    """Lines of a file to records: unwraps what a container runtime wrote, and joins each stream by itself."""

    def __init__(self, *, is_joined: bool = True) -> None:
        """`is_joined=False`: every line is a record."""
        self._is_joined = is_joined
        self._plain = Joiner(is_on=is_joined)
        self._streams: dict[str, _Stream] = {}
        self._count = 0

    @property
    def open_since(self) -> int | None:
        """Where the first record begins that a later line may continue; `None` without one."""
        starts = [self._plain.open_since, *(stream.open_since for stream in self._streams.values())]
        return min((start for start in starts if start is not None), default=None)

    @property
    def is_outside(self) -> bool:
        """Whether no trace is open, and no container's line came."""
        return self._plain.is_outside and not self._streams

    def push(self, line: Line) -> list[Record]:
        """Take the next line; the records that it ends."""
        self._count += 1
        wrapped = unwrap(line.text)
        if wrapped is None:
            record = self._plain.push(line)
            return [record] if record else []
        stream = self._streams.get(wrapped.stream)
        if stream is None:
            stream = self._streams[wrapped.stream] = _Stream(wrapped.stream, self._is_joined)
        return stream.push(line, wrapped)

    def flush(self) -> list[Record]:
        """The records that are open, in the order of the file."""
        found = [record for stream in self._streams.values() for record in stream.flush()]
        last = self._plain.flush()
        return sorted([*found, last] if last else found, key=lambda record: record.start)


class _Stream:
    """One stream of a container, with the line that is not complete yet."""

    def __init__(self, name: str, is_joined: bool) -> None:
        self._name = name
        self._joiner = Joiner(is_on=is_joined)
        self._parts: list[bytes] = []
        self._first: Line | None = None

    @property
    def open_since(self) -> int | None:
        since = self._joiner.open_since
        return self._first.start if since is None and self._first else since

    def push(self, line: Line, wrapped: Wrapped) -> list[Record]:
        self._parts.append(wrapped.text)
        if self._first is None:
            self._first = line._replace(time=wrapped.time)
        if wrapped.is_partial:
            self._first = self._first._replace(end=line.end)
            return []
        whole = self._first._replace(text=b"".join(self._parts), end=line.end)
        self._parts, self._first = [], None
        return self._named(self._joiner.push(whole))

    def flush(self) -> list[Record]:
        found: list[Record] = []
        if self._first is not None:  # the runtime did not write the rest
            found = self._named(self._joiner.push(self._first._replace(text=b"".join(self._parts))))
            self._parts, self._first = [], None
        return found + self._named(self._joiner.flush())

    def _named(self, record: Record | None) -> list[Record]:
        return [record._replace(stream=self._name)] if record else []

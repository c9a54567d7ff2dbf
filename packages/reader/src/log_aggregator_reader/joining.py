"""Lines to records: continuations, indented lines and the traces of nine languages belong to the line before them."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from log_aggregator_reader.lines import Line

MOST_BYTES = 256 * 1024
"""Of one record. What continues it beyond that begins another: no line is lost."""

MOST_LINES = 2000

_INDENTED = re.compile(rb"[ \t]+(?!\[?\d{4}[-/]\d\d[-/]\d\d[T ])\S")
"""Not a line that is indented and has a time of its own."""

_TIMED = re.compile(rb"\[?(?:\d{4}[-/]\d\d[-/]\d\d[T ]|\d\d:\d\d:\d\d[.,: ])")
"""A line that begins with a time begins a record, in the middle of a trace too."""

_CONTINUES = re.compile(
    rb"Caused by: |Suppressed: |\.\.\. \d+ (?:more|common)"  # JVM
    rb"|--- End of |---> |   at "  # .NET
    rb"|#\d+ +(?:\S+\(\d+\): |\{main\}|\[internal)|Stack trace:\s*$"  # PHP
    rb"|#\d+ {2,}\S[^\n]{0,300} \((?:file|dart|package):[^()\s]{1,300}\)\s*$"  # Dart
    rb"|\S+\.rb:\d+:in [`'][^':]*'\s*$"  # Ruby, as Rails writes it
    rb"|stack backtrace:|note: (?:run with|Some details)"  # Rust
    rb"|goroutine \d+ \[|created by |exit status \d|\[signal SIG"  # Go
    rb"|[}\])]+[;,]?\s*$"  # the end of an object that was printed over several lines
)

_EXCEPTION = re.compile(rb"(?:[A-Za-z_$][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)(?::|\s*$)")
"""The first line of a Java or .NET trace, which loggers write below the log line."""

_ERROR = re.compile(rb"(?:[A-Z]\w{0,60})?(?:Error|Exception)(?: \[\w+\])?(?::|\s*$)|\*\* \([A-Z][\w.]{0,80}\) ")
"""The first line of a trace of Node or Elixir: too plain a line to belong to one without a time of its own."""

_QUIET = re.compile(rb"(?i)\b(?:info|debug|trace|notice)\b")
_LOUD = re.compile(
    rb"(?i)err(?:or|\b)|fail|exception|crit|fatal|severe|warn|panic|alert|emerg|crash|unable|cannot|could not|unhandled"
    rb"|uncaught|abort|problem|time(?:d )?out|refused|denied|lost|invalid|broken|wrong"
)
"""In a log line: the trace below it is of this failure, and not of something else that was printed after it."""

_TRACEBACK = re.compile(rb"Traceback \(most recent call last\):\s*$")
_CAUGHT = b"> File "
"""The frame in which the error was caught, as loguru marks it."""
_CHAINED = re.compile(
    rb"During handling of the above exception, another|The above exception was the direct cause|Traceback \("
)
_GO_STARTS = re.compile(rb"panic: |fatal error: |goroutine \d+ \[|SIG[A-Z]+: ")
_GO_GOES_ON = re.compile(
    rb"goroutine \d+ \[|[\w./*()\[\]{}\xc2\xb7~$-]+\(.*\)\s*$|panic: |\.\.\.additional frames|r\w\w? +0x"
)
_PHP_NEXT = re.compile(rb"Next [\w\\]+(?:Exception|Error)")
_RUST_STARTS = re.compile(rb"thread '.*' (?:\(\d+\) )?panicked at .*:\s*$")
_NODE_PLACE = re.compile(rb"(?:file://)?/\S+:\d+\s*$|node:\S+:\d+\s*$")
_NODE_ENDS = re.compile(rb"Node\.js v\d")


class Record(NamedTuple):
    """One log as it stands in a file: its lines without the last newline, and the bytes that they take."""

    text: bytes
    start: int
    end: int
    number: int = 0
    """The number of its first line, from 1."""
    time: str = ""
    """The time that a container runtime wrote beside its first line."""
    stream: str = ""
    """`stdout` or `stderr`, where a container runtime wrote it."""


class _Inside(Enum):
    NOTHING = 0
    PYTHON = 1  # in the frames: the next line that is not indented is the exception
    PYTHON_DONE = 2  # after it: only a chained traceback may follow
    GO = 3
    RUST = 4  # the message is on the next line
    NODE = 5  # a line of source was shown; the error follows after a blank line
    NODE_DONE = 6


class Joiner:
    """Puts lines together. Blank lines are no logs, but stay inside a trace."""

    def __init__(self, *, is_on: bool = True) -> None:
        """`is_on=False`: every line is a record."""
        self._is_on = is_on
        self._lines: list[Line] = []
        self._gaps: set[int] = set()
        self._blank = 0
        self._size = 0
        self._inside = _Inside.NOTHING
        self._number = self._count = 0

    @property
    def open_since(self) -> int | None:
        """Where the record begins that the next line may continue; `None` without one."""
        return self._lines[0].start if self._lines else None

    @property
    def is_outside(self) -> bool:
        """Whether no trace is open: a line that has no sign of one begins a record."""
        return self._inside is _Inside.NOTHING

    def push(self, line: Line) -> Record | None:
        """Take the next line; the record that it ends, if any."""
        self._count += 1
        text = line.text
        if not text or text.isspace():
            self._blank += 1
            return None
        if self._lines and self._is_on and self._belongs(text):
            if self._blank:
                self._gaps.add(len(self._lines))
            self._blank = 0
            self._lines.append(line)
            self._size += len(text)
            return None
        finished = self.flush()
        self._lines, self._size, self._number, self._blank = [line], len(text), self._count, 0
        self._inside = _start(text)
        return finished

    def flush(self) -> Record | None:
        """The record that is open, if any: nothing continues it."""
        lines, self._lines = self._lines, []
        if not lines:
            return None
        first, last = lines[0], lines[-1]
        text = first.text.removesuffix(b"\r") if len(lines) == 1 else self._joined(lines)
        return Record(text, first.start, last.end, self._number, first.time)

    def _joined(self, lines: list[Line]) -> bytes:
        """The lines, each without its carriage return; blank ones between two are one."""
        gaps, self._gaps = self._gaps, set()
        return b"\n".join(b"\n" * (place in gaps) + line.text.removesuffix(b"\r") for place, line in enumerate(lines))

    def _belongs(self, text: bytes) -> bool:
        if self._size > MOST_BYTES or len(self._lines) >= MOST_LINES:
            return False
        if text[0] in b" \t":
            return self._takes_indented(text)
        if _TIMED.match(text):
            return False
        inside = self._inside
        if inside is not _Inside.NOTHING:
            return self._goes_on(text, inside)
        if self._blank:
            return len(self._lines) > 1 and _PHP_NEXT.match(text) is not None
        return self._continues(text)

    def _takes_indented(self, text: bytes) -> bool:
        if self._blank and self._inside is _Inside.NOTHING and len(self._lines) == 1:
            return False
        if self._is_object() or not _INDENTED.match(text):
            return False
        if _TRACEBACK.search(text):
            self._inside = _Inside.PYTHON if text.lstrip()[:1] == b"T" else self._inside
        elif text.strip().strip(b"^~") == b"" and _NODE_PLACE.match(self._lines[0].text):
            self._inside = _Inside.NODE
        return True

    def _continues(self, text: bytes) -> bool:
        """Whether a line that is not indented belongs to a record outside of any trace."""
        if self._is_object():
            return False
        if _CONTINUES.match(text):
            self._inside = _start(text)
            return True
        head = self._lines[0].text[:200]
        if _TRACEBACK.match(text) or _EXCEPTION.match(text) or (_ERROR.match(text) and _TIMED.match(head)):
            if _QUIET.search(head) or not _LOUD.search(head):
                return False
            self._inside = _start(text)
            return True
        return False

    def _goes_on(self, text: bytes, inside: _Inside) -> bool:
        """Whether a line that is not indented belongs to the trace."""
        if inside is _Inside.PYTHON and text.startswith(_CAUGHT):
            return True
        if inside is _Inside.PYTHON:
            self._inside = _Inside.PYTHON_DONE
            return not self._blank
        if inside is _Inside.PYTHON_DONE:
            if text.startswith(b"Traceback"):
                self._inside = _Inside.PYTHON
            return _CHAINED.match(text) is not None
        if inside is _Inside.GO:
            return bool(_GO_GOES_ON.match(text) or _CONTINUES.match(text))
        if inside is _Inside.NODE_DONE:
            return bool(_NODE_ENDS.match(text) or (not self._blank and _CONTINUES.match(text)))
        self._inside = _Inside.NODE_DONE if inside is _Inside.NODE else _Inside.NOTHING
        return inside is _Inside.NODE or not self._blank

    def _is_object(self) -> bool:
        """Whether the record is one line of JSON: nothing continues it."""
        first = self._lines[0].text
        return len(self._lines) == 1 and first[:1] == b"{" and first.rstrip()[-1:] == b"}"


def _start(text: bytes) -> _Inside:
    if _TRACEBACK.search(text):
        return _Inside.PYTHON
    if _GO_STARTS.match(text):
        return _Inside.GO
    if _RUST_STARTS.match(text):
        return _Inside.RUST
    return _Inside.NOTHING

"""The journal export format, in pieces of any length → entries.

https://systemd.io/JOURNAL_EXPORT_FORMATS: a field is `NAME=text` in one line, or its name in one line, 64 bits of
length, the data and a line feed; an empty line ends an entry.
"""

from __future__ import annotations

from collections.abc import Iterator

LARGEST = 1024 * 1024
"""Bytes of a value that is kept. Larger ones, such as core dumps, are passed over."""

LONGEST_LINE = 8 * 1024 * 1024
"""Bytes of a field in one line."""

MOST_FIELDS = 1000
"""Fields of an entry that are kept."""

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of an entry's values that are kept together."""

LONGEST_NAME = 64

ALWAYS = frozenset({"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "__CURSOR", "__REALTIME_TIMESTAMP"})
"""Fields that are kept however many there are."""

Entry = dict[str, bytes]


class ExportError(ValueError):
    """These bytes are not in the export format."""


class ExportReader:
    """Reads one stream of entries."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._skip = 0
        self._entry: Entry = {}
        self._size = 0
        self._open = False

    def feed(self, data: bytes) -> Iterator[Entry]:
        """The entries that are whole with these bytes. Raises `ExportError`."""
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        waiting = self._waiting
        waiting += data
        at = 0
        while at < len(waiting):
            end = waiting.find(b"\n", at)
            if end < 0:
                if len(waiting) - at > LONGEST_LINE:
                    raise ExportError(f"a line of more than {LONGEST_LINE} bytes")
                break
            if end == at:
                at += 1
                if self._open:
                    yield self._taken()
                continue
            following = self._field(at, end)
            if following < 0:
                break
            at = following
            if at > len(waiting):
                self._skip, at = at - len(waiting), len(waiting)
        del waiting[:at]

    def end(self) -> Iterator[Entry]:
        """The last entry, if no empty line ended it. Raises `ExportError` when the stream ends within a field."""
        if self._waiting or self._skip:
            raise ExportError("the last entry is broken off")
        if self._open:
            yield self._taken()

    def _field(self, at: int, end: int) -> int:
        """Take the field that begins here; where the next one begins, or -1 when it is not all here yet."""
        waiting = self._waiting
        equals = waiting.find(b"=", at, end)
        if equals >= 0:
            self._keep(waiting[at:equals], bytes(waiting[equals + 1 : end]))
            return end + 1
        if end + 9 > len(waiting):
            return -1
        size = int.from_bytes(waiting[end + 1 : end + 9], "little")
        begin, stop = end + 9, end + 9 + size
        if size > LARGEST:
            self._keep(waiting[at:end], b"[%d bytes left out]" % size)
            return stop + 1
        if stop + 1 > len(waiting):
            return -1
        if waiting[stop : stop + 1] != b"\n":
            raise ExportError("no line feed after a value of the length that was announced")
        self._keep(waiting[at:end], bytes(waiting[begin:stop]))
        return stop + 1

    def _keep(self, name: bytearray, value: bytes) -> None:
        if not 0 < len(name) <= LONGEST_NAME or not name.replace(b"_", b"a").isalnum():
            raise ExportError("a field without a name; expected NAME=value")
        self._open = True
        self._size += len(value)
        key = name.decode("ascii", "replace")
        if key in ALWAYS or (len(self._entry) < MOST_FIELDS and self._size <= MOST_BYTES):
            self._entry.setdefault(key, value)

    def _taken(self) -> Entry:
        entry, self._entry, self._size, self._open = self._entry, {}, 0, False
        return entry

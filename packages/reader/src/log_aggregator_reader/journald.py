"""The systemd journal, read with `journalctl`: entries as objects, and the cursor to go on at."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
from collections.abc import Sequence
from typing import Any, NamedTuple

_DROPPED = frozenset(
    {
        "__CURSOR", "__MONOTONIC_TIMESTAMP", "__SEQNUM", "__SEQNUM_ID", "__REALTIME_TIMESTAMP", "_BOOT_ID",
        "_MACHINE_ID", "_CAP_EFFECTIVE", "_SOURCE_REALTIME_TIMESTAMP", "_SOURCE_MONOTONIC_TIMESTAMP", "_TRANSPORT",
        "_STREAM_ID", "_SELINUX_CONTEXT", "_RUNTIME_SCOPE", "_SYSTEMD_INVOCATION_ID", "_LINE_BREAK", "INVOCATION_ID",
        "MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "SYSLOG_TIMESTAMP", "SYSLOG_RAW", "SYSLOG_FACILITY",
    }
)  # fmt: skip
"""Fields that say nothing of the log, or are said elsewhere in the record."""

_SOURCES = ("SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "_COMM", "_HOSTNAME")
_TIMES = ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")


class Entry(NamedTuple):
    """An entry of the journal as the fields of a log, and its cursor."""

    cursor: str
    log: dict[str, Any]


def log_of(fields: dict[str, Any]) -> dict[str, Any] | None:
    """The log of a journal entry as `journalctl -o json` prints it; `None` for one without a message."""
    message = _text(fields.get("MESSAGE"))
    if not message.strip():
        return None
    log: dict[str, Any] = {"message": message}
    priority = _text(fields.get("PRIORITY"))
    if priority in set("01234567"):
        log["level"] = int(priority)
    source = next((text for name in _SOURCES if (text := _text(fields.get(name)))), "")
    if source:
        log["source"] = source.removesuffix(".service")
    when = next((text for name in _TIMES if (text := _text(fields.get(name))).isdigit()), "")
    if when:
        log["timestamp"] = int(when)
    kept = {name: _text(value) for name, value in fields.items() if name not in _DROPPED}
    log["metadata"] = {
        name.strip("_").lower(): text for name, text in kept.items() if text and text != log.get("source")
    }
    return log


class Journal:
    """Reads entries after a cursor. Not for several threads at once."""

    def __init__(self, after: str = "", *, follow: bool = False, arguments: Sequence[str] = ()) -> None:
        """`arguments` are given to `journalctl`, such as `-u nginx`. Raises `OSError` when it cannot be started."""
        command = ["journalctl", "--output=json", "--all", "--no-pager", "--quiet", *arguments]
        command += [f"--after-cursor={after}"] if after else []
        command += ["--follow", "--no-tail"] if follow else []
        self._process = subprocess.Popen(  # noqa: S603  the arguments are options of whoever runs this
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self._out = self._process.stdout
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(self._out, selectors.EVENT_READ)
        self._rest = b""
        self._lines: list[bytes] = []
        self.is_over = False

    def read(self, most: int, seconds: float) -> list[Entry]:
        """Up to `most` entries, or what there is after so many seconds. `is_over` says that no more will come.

        Entries without a message are in it with an empty log. Raises `OSError` when `journalctl` failed.
        """
        while len(self._lines) < most and not self.is_over:
            if not self._waiting.select(seconds):
                break
            chunk = os.read(self._out.fileno(), 1 << 20)
            if not chunk:
                self._finish()
                break
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._lines += lines
        lines, self._lines = self._lines[:most], self._lines[most:]
        return [_entry(line) for line in lines if line]

    @property
    def is_empty(self) -> bool:
        """Whether everything that came was given out."""
        return not self._lines

    def close(self) -> None:
        """End `journalctl`."""
        self._waiting.close()
        if self._process.poll() is None:
            self._process.terminate()
        self._out.close()
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._process.wait()

    def _finish(self) -> None:
        self.is_over = True
        assert self._process.stderr is not None
        problem = self._process.stderr.read().decode("utf-8", "replace").strip()
        if self._process.wait() != 0:
            raise OSError(self._process.returncode, problem.splitlines()[-1] if problem else "journalctl failed")


def _entry(line: bytes) -> Entry:
    fields = json.loads(line)
    return Entry(str(fields.get("__CURSOR", "")), log_of(fields) or {})


def _text(value: Any) -> str:
    """A field's value: a text, bytes as a list of numbers, several values of one name, or nothing."""
    if isinstance(value, list):
        if value and all(isinstance(item, int) for item in value):
            return bytes(item & 255 for item in value).decode("utf-8", "replace")
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)

"""One entry of a journal → a record, and where it stands in its journal."""

from __future__ import annotations

import re
from typing import NamedTuple

from log_aggregator import Record
from log_aggregator.receivers import BadLogError, SentFields, record_of_text
from log_aggregator_journald.export import Entry

SOURCES = ("CONTAINER_NAME", "SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT", "_COMM", "_HOSTNAME")
TIMES = ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")

_DROPPED = frozenset({
    "MESSAGE", "PRIORITY", "_BOOT_ID", "_MACHINE_ID", "_CAP_EFFECTIVE", "_STREAM_ID", "_SOURCE_MONOTONIC_TIMESTAMP",
    "_SELINUX_CONTEXT", "_RUNTIME_SCOPE", "_SYSTEMD_INVOCATION_ID", "_SYSTEMD_CGROUP", "SYSLOG_TIMESTAMP",
    "SYSLOG_RAW", "SYSLOG_FACILITY", "CONTAINER_ID_FULL", *TIMES,
})  # fmt: skip
_CURSOR = re.compile(r"(?:^|;)s=([0-9a-fA-F]{1,32});i=([0-9a-fA-F]{1,16})(?:;|$)")
_BY_DEFAULT = b"6"


class Place(NamedTuple):
    """Where an entry stands: in which journal, and its number, which only grows."""

    journal: str
    number: int


def place_of(entry: Entry) -> Place | None:
    """The place of an entry by its cursor; `None` when it has none."""
    cursor = _CURSOR.search(entry.get("__CURSOR", b"").decode("ascii", "replace"))
    return Place(cursor[1].lower(), int(cursor[2], 16)) if cursor else None


def record_of(entry: Entry) -> Record:
    """The record of an entry. Raises `BadLogError` when it has no message."""
    message = _text(entry, "MESSAGE")
    if not message:
        raise BadLogError("an entry without MESSAGE")
    source_field = next((name for name in SOURCES if entry.get(name)), "")
    metadata = {
        name.lstrip("_").lower(): value.decode("utf-8", "replace")
        for name, value in entry.items()
        if name not in _DROPPED and name != source_field and not name.startswith(("__", "_AUDIT"))
    }
    envelope, defaults = SentFields(metadata=metadata), SentFields()
    if source_field:
        envelope["source"] = _text(entry, source_field)
    when = next((text for text in (_text(entry, name) for name in TIMES) if text.isdecimal()), None)
    if when is not None:
        envelope["timestamp"] = when
    priority = entry.get("PRIORITY")
    if priority is not None:
        (defaults if _is_assumed(entry, priority) else envelope)["level"] = priority.decode("utf-8", "replace")
    return record_of_text(message, envelope=envelope, defaults=defaults)


def _is_assumed(entry: Entry, priority: bytes) -> bool:
    """Whether nobody chose the priority: journald's for what a service prints, Docker's for its two streams."""
    return "CONTAINER_ID" in entry or (priority == _BY_DEFAULT and entry.get("_TRANSPORT") == b"stdout")


def _text(entry: Entry, name: str) -> str:
    return entry.get(name, b"").decode("utf-8", "replace")

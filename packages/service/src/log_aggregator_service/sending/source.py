"""Files and pipes that are sent once: text, a JSON document or NDJSON, told apart by their beginning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from log_aggregator_reader import IDLE, Input, records
from log_aggregator_service.sending.form import Form

__all__ = ["IDLE", "Log", "is_document", "read_logs"]


class Log(NamedTuple):
    """One log as a JSON object on one line, where it was found, and the bytes of the input that were read so far."""

    body: bytes
    place: str
    read: int


def read_logs(source: Input, form: Form, name: str = "") -> Iterator[Log | None]:
    """Logs in the order of the input; `None` when the input pauses. Blank lines are no logs.

    `name` is put before the places where several inputs are sent. Raises `ValueError` when a JSON document cannot be
    read, or compressed data is broken.
    """
    chunks = source.text()
    head: list[bytes | None] = []
    beginning = b""
    for chunk in chunks:
        head.append(chunk)
        beginning += chunk or b""
        if b"\n" in beginning.lstrip():
            break
    first = beginning.lstrip().split(b"\n", 1)[0]
    everything = chain(head, chunks)
    if form.format == "json" or (form.format == "auto" and is_document(first)):
        return _from_document(everything, source, form, name)
    return _from_records(everything, source, form, name)


def is_document(line: bytes) -> bool:
    """Whether the first line with text in it begins a JSON document that holds several logs."""
    line = line.strip()
    if line == b"[" or (line[:1] == b"[" and line[1:].lstrip()[:1] == b"{"):
        return True
    if line == b"{":
        return True
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("logs"), list)


def _from_records(chunks: Iterable[bytes | None], source: Input, form: Form, name: str) -> Iterator[Log | None]:
    prefix = f"{name} line " if name else "line "
    for record in records(chunks, is_joined=form.is_joined):
        yield None if record is None else Log(form.log(record), f"{prefix}{record.number}", source.read)


def _from_document(chunks: Iterable[bytes | None], source: Input, form: Form, name: str) -> Iterator[Log | None]:
    data = b"".join(chunk for chunk in chunks if chunk is not None)
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        if form.format == "json" or not data.lstrip().startswith(b"{"):
            raise ValueError(f"not a JSON document: {error}") from None
        yield from _from_records([data], source, form, name)  # objects one behind the other
        return
    if isinstance(document, dict):
        document = document["logs"] if isinstance(document.get("logs"), list) else [document]
    if isinstance(document, list):
        yield from _entries(document, source.read, form, name)
        return
    raise ValueError("expected a log, a list of logs, or an object with the key 'logs'")


def _entries(entries: list[Any], size: int, form: Form, name: str) -> Iterator[Log]:
    prefix = f"{name} entry " if name else "entry "
    for number, entry in enumerate(entries, 1):
        yield Log(form.entry(entry), f"{prefix}{number}", size * number // len(entries))

"""The logs of a file as records: the fields are found as in what clients send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from log_aggregator.errors import LogAggregatorError
from log_aggregator.model.fields.lenient import BadLogError
from log_aggregator.model.record import Record
from log_aggregator_service.sending.source import is_document

Form = Literal["auto", "raw", "json", "ndjson"]


_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ")
"""How gzip, zstd, bzip2 and xz begin."""


class Sent(NamedTuple):
    """One log: its number in the input, the text of it, and the record or why there is none."""

    number: int
    text: str
    record: Record | None
    fault: str = ""


def read_records(data: bytes, form: Form = "auto") -> list[Sent]:
    """Every log of the input in order: one JSON document, or lines, of which those that are JSON objects are read so.

    Raises `LogAggregatorError` when a JSON document cannot be read, `ValueError` when the input is compressed.
    """
    if data.startswith(_COMPRESSED):
        raise ValueError("compressed; unpack it first, such as: zcat FILE | log-aggregator try -")
    lines = data.split(b"\n")  # a line ends at a newline alone: other separators belong to the message
    first = next((line for line in lines if line.strip()), b"")
    if form == "json" or (form == "auto" and is_document(first)):
        return [sent(number, entry) for number, entry in enumerate(_document(data), 1)]
    return [_line(number, line, form) for number, line in enumerate(lines, 1) if line.strip()]


def sent(number: int, log: Any, text: str = "") -> Sent:
    """A log that is a text or a JSON value."""
    text = text or (log if isinstance(log, str) else msgspec.json.encode(log).decode())
    try:
        if isinstance(log, dict):
            return Sent(number, text, Record.from_object(log))
        return Sent(number, text, Record.of(log))
    except (BadLogError, TypeError) as error:
        return Sent(number, text, None, str(error))


def _line(number: int, line: bytes, form: Form) -> Sent:
    text = line.decode("utf-8", "backslashreplace").removesuffix("\r")
    if form == "raw" or (form == "auto" and not line.lstrip().startswith(b"{")):
        return sent(number, text)
    try:
        value = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        return sent(number, text) if form == "auto" else Sent(number, text, None, f"not JSON: {error}")
    if not isinstance(value, dict):
        return Sent(number, text, None, "not a JSON object")
    return sent(number, value, text)


def _document(data: bytes) -> Iterator[Any]:
    try:
        document = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise LogAggregatorError(f"not a JSON document: {error}") from None
    if isinstance(document, dict):
        document = document["logs"] if isinstance(document.get("logs"), list) else [document]
    if not isinstance(document, list):
        raise LogAggregatorError("expected a log, a list of logs, or an object with the key 'logs'")
    yield from document

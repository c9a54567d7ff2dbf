"""From a file or a pipe to logs: raw lines, a JSON document or NDJSON, told apart by their beginning."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Literal, NamedTuple

import msgspec

Format = Literal["auto", "raw", "json", "ndjson"]

IDLE = 1.0
"""Seconds without input after which what has been gathered should be sent."""

_CHUNK = 1 << 20

_COMPRESSED = {b"\x1f\x8b": "zcat", b"\x28\xb5\x2f\xfd": "zstdcat", b"\xfd7zXZ": "xzcat", b"BZh91AY&SY": "bzcat"}
"""How compressed data begins, and the program that unpacks it."""


class Log(NamedTuple):
    """One log as a JSON object on one line, and where it was found: number of the `unit`, bytes read so far."""

    body: bytes
    number: int
    read: int
    unit: str = "line"


def refuse_compressed(beginning: bytes) -> None:
    """Raises `ValueError` when text was expected and compressed data begins so: its bytes are no logs."""
    for magic, program in _COMPRESSED.items():
        if beginning.startswith(magic):
            raise ValueError(f"compressed; unpack it first: {program} FILE | log-aggregator … -")


def read_lines(descriptor: int) -> Iterator[bytes | None]:
    """Lines without their end; `None` whenever nothing has come for `IDLE` seconds."""
    pieces: list[bytes] = []
    while True:
        if not select.select([descriptor], [], [], IDLE)[0]:
            yield None
            continue
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            break
        first, *lines = chunk.split(b"\n")
        pieces.append(first)
        if lines:
            yield b"".join(pieces)
            yield from lines[:-1]
            pieces = [lines[-1]]
    last = b"".join(pieces)
    if last:
        yield last


def read_logs(descriptor: int, form: Format, defaults: dict[str, str]) -> Iterator[Log | None]:
    """Logs in the order of the input; `None` when the input pauses. Blank lines are no logs.

    `defaults` (source, level) are given to logs that have none of their own. What is not a JSON object
    in NDJSON is passed on as it is: the service says what is wrong with it. Raises `ValueError` when a
    JSON document cannot be read, or the input is compressed.
    """
    lines = read_lines(descriptor)
    head: list[bytes | None] = []
    for line in lines:
        head.append(line)
        if line is not None and line.strip():
            refuse_compressed(line)
            break
    if form == "auto":
        form = guess(head[-1] or b"" if head else b"")
    everything = chain(head, lines)
    if form == "json":
        return _from_document(everything, defaults)
    return _from_lines(everything, form, defaults)


def guess(line: bytes) -> Format:
    """What the first line with text in it says of the whole."""
    line = line.strip()
    try:
        value = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return "json" if line in (b"{", b"[") or (line[:1] == b"[" and line[1:].lstrip()[:1] == b"{") else "raw"
    if isinstance(value, dict):
        return "json" if isinstance(value.get("logs"), list) else "ndjson"
    return "json" if isinstance(value, list) and all(isinstance(entry, dict) for entry in value) else "raw"


def _from_lines(lines: Iterable[bytes | None], form: Format, defaults: dict[str, str]) -> Iterator[Log | None]:
    prepare = _raw(defaults) if form == "raw" else _ndjson(defaults)
    read = number = 0
    for line in lines:
        if line is None:
            yield None
            continue
        number += 1
        read += len(line) + 1
        if line.strip():
            yield Log(prepare(line), number, read)


def _raw(defaults: dict[str, str]) -> Callable[[bytes], bytes]:
    encode = msgspec.json.Encoder().encode
    # Bytes that are no UTF-8 stay readable: \xe9. A log is never refused for its encoding.
    return lambda line: encode({"message": line.rstrip(b"\r").decode("utf-8", "backslashreplace"), **defaults})


def _ndjson(defaults: dict[str, str]) -> Callable[[bytes], bytes]:
    if not defaults:
        return bytes.strip
    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode

    def with_defaults(line: bytes) -> bytes:
        try:
            entry = decode(line)
        except msgspec.DecodeError:
            return line.strip()
        return encode({**defaults, **entry}) if isinstance(entry, dict) else line.strip()

    return with_defaults


def _from_document(lines: Iterable[bytes | None], defaults: dict[str, str]) -> Iterator[Log | None]:
    data = b"\n".join(line for line in lines if line is not None)
    try:
        document = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(f"not a JSON document: {error}") from None
    if isinstance(document, dict):
        document = document["logs"] if isinstance(document.get("logs"), list) else [document]
    if not isinstance(document, list):
        raise ValueError(  # noqa: TRY004  the file is wrong, not the program
            "expected a log, a list of logs, or an object with the key 'logs'"
        )
    return _from_entries(document, len(data), defaults)


def _from_entries(entries: list[Any], size: int, defaults: dict[str, str]) -> Iterator[Log | None]:
    encode = msgspec.json.Encoder().encode
    for number, entry in enumerate(entries, 1):
        whole = {**defaults, **entry} if isinstance(entry, dict) else entry
        yield Log(encode(whole), number, size * number // len(entries), "entry")

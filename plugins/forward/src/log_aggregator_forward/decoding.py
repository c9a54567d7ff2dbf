"""MessagePack of the Forward protocol → entries, in every mode that there is.

https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1
"""

from __future__ import annotations

import zlib
from itertools import islice
from typing import Any, NamedTuple

import msgpack

LARGEST = 64 * 1024 * 1024
"""Bytes of a message, also once it is decompressed."""

MOST_ENTRIES = 500_000


class ProtocolError(Exception):
    """What came is not the Forward protocol; the text says what it is and what was expected."""


class EventTime(int):
    """A time in nanoseconds since the epoch (extension type 0)."""


class Chunk(NamedTuple):
    """The entries of one message, (time, record) each, and the id under which the sender waits for an answer."""

    tag: str
    entries: list[tuple[Any, Any]]
    chunk: str | None
    is_logs: bool = True


def unpacker(largest: int = LARGEST) -> msgpack.Unpacker:
    """An unpacker that is fed the bytes of a connection.

    Texts may hold bytes that are not UTF-8: old senders put binary data into them.
    """
    return msgpack.Unpacker(
        raw=False,
        strict_map_key=False,
        unicode_errors="surrogateescape",
        ext_hook=_extension,
        max_buffer_size=largest,
    )


def chunk_of(message: Any) -> Chunk:
    """The entries of a decoded message. Raises `ProtocolError`."""
    if not isinstance(message, list) or not 2 <= len(message) <= 4 or not isinstance(message[0], str):
        raise ProtocolError(f"a message is {type(message).__name__}; expected [tag, entries, option]")
    tag, content = message[0], message[1]
    entries: list[tuple[Any, Any]]
    option = _option(message, 2)
    if option.get("fluent_signal", 0) != 0:  # metrics or traces: their entries have another form
        return Chunk(tag, [], _chunk_id(option), is_logs=False)
    if isinstance(content, list) and not _is_time_with_metadata(content):
        entries = [_entry(entry) for entry in content]
    elif isinstance(content, bytes | str):
        entries = _packed(_bytes(content), str(option.get("compressed", "")))
    else:
        if len(message) < 3:
            raise ProtocolError("a message holds a tag and a time; expected a record behind them")
        option = _option(message, 3)
        entries = [_entry([content, message[2]])]
    return Chunk(tag, entries, _chunk_id(option))


def _chunk_id(option: dict[Any, Any]) -> str | None:
    chunk = option.get("chunk")
    chunk = chunk.decode("latin-1") if isinstance(chunk, bytes) else chunk
    return chunk if isinstance(chunk, str) else None


def time_of(sent: Any) -> float | int | None:
    """The time of an entry as a number of seconds or nanoseconds; `None` when there is none."""
    if isinstance(sent, list) and sent:
        sent = sent[0]
    if isinstance(sent, EventTime):
        return int(sent)
    return sent if isinstance(sent, int | float) and not isinstance(sent, bool) and sent > 0 else None


def _packed(data: bytes, compressed: str) -> list[tuple[Any, Any]]:
    if compressed == "gzip":
        data = _gunzip(data)
    elif compressed not in ("", "text"):
        raise ProtocolError(f"compressed is {compressed[:20]!r}; expected gzip")
    stream = unpacker(max(len(data), 1))
    stream.feed(data)
    try:
        entries = list(islice(stream, MOST_ENTRIES + 1))
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise ProtocolError(f"entries cannot be unpacked: {type(error).__name__}") from None
    if len(entries) > MOST_ENTRIES:
        raise ProtocolError(f"more than {MOST_ENTRIES} entries in one message")
    return [_entry(entry) for entry in entries]


def _gunzip(data: bytes) -> bytes:
    """All members, one behind the other, within `LARGEST` bytes."""
    whole = bytearray()
    while data:
        engine = zlib.decompressobj(31)
        try:
            whole += engine.decompress(data, LARGEST - len(whole) + 1)
        except zlib.error:
            raise ProtocolError("entries are not the gzip that they should be") from None
        if len(whole) > LARGEST:
            raise ProtocolError(f"entries take more than {LARGEST} bytes")
        if not engine.eof:
            raise ProtocolError("entries are a gzip that breaks off")
        data = engine.unused_data
    return bytes(whole)


def _entry(entry: Any) -> tuple[Any, Any]:
    if not isinstance(entry, list) or len(entry) < 2:
        raise ProtocolError(f"an entry is {type(entry).__name__}; expected [time, record]")
    return entry[0], entry[1]


def _option(message: list[Any], at: int) -> dict[Any, Any]:
    option = message[at] if len(message) > at else None
    return option if isinstance(option, dict) else {}


def _is_time_with_metadata(content: list[Any]) -> bool:
    """Whether a list is [time, metadata] of Fluent Bit rather than entries."""
    return len(content) == 2 and isinstance(content[0], EventTime | int | float) and isinstance(content[1], dict)


def _bytes(content: bytes | str) -> bytes:
    return content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content


def _extension(code: int, data: bytes) -> Any:
    if code == 0 and len(data) == 8:
        seconds, nanoseconds = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")
        return EventTime(seconds * 1_000_000_000 + nanoseconds)
    return None

"""Compressed bodies: which encodings are understood, and how large they may become."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterator

import zstandard

from log_aggregator.config.settings import Settings
from log_aggregator.http.decoding.body import Room
from log_aggregator.http.problem import Problem

ENCODINGS = ("gzip", "deflate", "zstd")

ACCEPT = {"Accept-Encoding": ", ".join(ENCODINGS)}

INLINE = 64 * 1024
"""Bytes as sent up to which a body is decompressed on the event loop; larger ones go to a thread."""

MOST_PARTS = 10_000
"""Members of a gzip body, or blocks of a zstd body per MiB: more are made to keep us busy."""

_STEP = 256 * 1024
_ZSTD_WINDOW = 8 * 1024 * 1024
_SMALL = 1024 * 1024


def recognised(raw: bytes) -> str:
    """The encoding that the first bytes of a body show, empty for none: for protocols whose headers lie."""
    if raw[:2] == b"\x1f\x8b":
        return "gzip"
    if raw[:4] == b"\x28\xb5\x2f\xfd":
        return "zstd"
    is_zlib = len(raw) > 2 and raw[0] == 0x78 and int.from_bytes(raw[:2], "big") % 31 == 0
    return "deflate" if is_zlib else ""


class Decompressor:
    """Decompresses bodies within the limits of the settings."""

    def __init__(self, settings: Settings, room: Room) -> None:
        self._most = settings.max_decompressed_bytes
        self._ratio = settings.max_compression_ratio
        self._room = room

    async def decompress(self, raw: bytes, encoding: str) -> bytes:
        """The body without its content encoding.

        Raises `Problem`: 400 broken or truncated, 413 beyond the total or the ratio, 415 unknown or several
        encodings, 503 no room.
        """
        name = encoding.strip().lower()
        name = {"x-gzip": "gzip"}.get(name, name)
        if name in ("", "identity"):
            return raw
        if name not in ENCODINGS:
            several = "several encodings, one on the other" if "," in name else "not understood"
            raise Problem(415, f"Content-Encoding: {several}; expected one of {', '.join(ENCODINGS)}", headers=ACCEPT)
        most = self._largest(len(raw))
        try:
            work: Callable[[], bytes] = lambda: _all(raw, name, most, self._room)  # noqa: E731  one call for both ways
            return work() if len(raw) <= INLINE and most <= _SMALL else await asyncio.to_thread(work)
        except _TooLargeError:
            raise self._too_large(most) from None
        except (zlib.error, zstandard.ZstdError, _BrokenError) as error:
            raise Problem(400, f"the {name} body is broken: {error}") from None

    def _largest(self, size: int) -> int:
        return min(self._most, max(size, 1024) * self._ratio)

    def _too_large(self, most: int) -> Problem:
        if most < self._most:
            return Problem(413, f"the body grows more than {self._ratio} times when decompressed: not a log body")
        return Problem(413, f"the body is larger than {most} bytes when decompressed: send smaller batches")


class _TooLargeError(ValueError):
    pass


class _BrokenError(ValueError):
    pass


def _all(raw: bytes, name: str, most: int, room: Room) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        for part in _unzstd(raw) if name == "zstd" else _inflate(raw, name):
            room.take(len(part))
            size += len(part)
            parts.append(part)
            if size > most:
                raise _TooLargeError
        return b"".join(parts)
    finally:
        room.give_back(size)


def _inflate(raw: bytes, name: str) -> Iterator[bytes]:
    """gzip (with several members, as concatenated files have) and deflate (zlib, or raw as some send it)."""
    if not raw:
        raise _BrokenError("it is empty")
    position = members = 0
    while position < len(raw):
        members += 1
        if members > MOST_PARTS or (members > 1 and name != "gzip"):
            raise _BrokenError("too much follows its end")
        engine = zlib.decompressobj(31 if name == "gzip" else _deflate_window(raw[position : position + 2]))
        # What follows a member is copied by the library: begin with little, for members may be tiny.
        length = 1024
        while not engine.eof:
            piece = raw[position : position + length]
            if not piece:
                raise _BrokenError("it is truncated")
            yield from _pieces(engine, piece)
            position += len(piece) - len(engine.unused_data)
            length = min(length * 2, _STEP)


def _pieces(engine: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    while piece:
        yield engine.decompress(piece, _STEP)
        piece = engine.unconsumed_tail


def _deflate_window(raw: bytes) -> int:
    """RFC 9110's deflate is the zlib format; without its two-byte header it is raw deflate."""
    header = int.from_bytes(raw[:2], "big")
    is_zlib = raw[0] & 15 == 8 and header % 31 == 0
    return 15 if is_zlib else -15


def _unzstd(raw: bytes) -> Iterator[bytes]:
    _check_frames(raw)
    engine = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    with engine.stream_reader(raw, read_across_frames=True) as reader:
        while part := reader.read(_STEP):
            yield part


def _check_frames(raw: bytes) -> None:
    """Walk over the blocks of all zstd frames (RFC 8878, 3.1.1): the library does not report a truncated one."""
    position = blocks = 0
    most = MOST_PARTS * (1 + len(raw) // _SMALL)
    while position < len(raw) or not raw:
        frame = zstandard.get_frame_parameters(raw[position : position + 18])
        position += zstandard.frame_header_size(raw[position : position + 18])
        last = 0
        while not last:
            blocks += 1
            if blocks > most:
                raise _BrokenError("it has too many blocks")
            header = int.from_bytes(raw[position : position + 3], "little")
            last, kind, size = header & 1, header >> 1 & 3, header >> 3
            position += 3 + (1 if kind == 1 else size)  # a block of kind 1 repeats one byte
            if position > len(raw):
                raise _BrokenError("it is truncated")
        position += 4 if frame.has_checksum else 0
    if position > len(raw):
        raise _BrokenError("it is truncated")

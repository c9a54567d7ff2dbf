"""Compressed data, told by its first bytes, unpacked piece by piece."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import zstandard

MAGICS: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31),
    b"\x28\xb5\x2f\xfd": lambda: zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj(),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lzma.LZMADecompressor,
}
"""How compressed data begins, and what unpacks one stream of it."""

LONGEST_MAGIC = max(map(len, MAGICS))

STEP = 64 * 1024
"""Compressed bytes that are unpacked at once: what bounds the memory."""

_FAILURES = (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError)


def is_compressed(beginning: bytes) -> bool:
    """Whether data that begins so is compressed in a way that `unpacked` knows."""
    return _maker(beginning) is not None


def unpacked(chunks: Iterable[bytes | None]) -> Iterator[bytes | None]:
    """Chunks as they are, or unpacked when the first bytes say that they are compressed; `None` passes through.

    Several compressed streams one behind the other, as `cat a.gz b.gz` makes them, are one text. Raises `ValueError`
    when the data is broken or ends too early, after everything before that has been given.
    """
    waiting = iter(chunks)
    beginning = b""
    for chunk in waiting:
        if chunk is None:
            yield None
            continue
        beginning += chunk
        if len(beginning) >= LONGEST_MAGIC:
            break
    make = _maker(beginning)
    if make is None:
        if beginning:
            yield beginning
        yield from waiting
        return
    yield from _unpack(make, beginning, waiting)


def _unpack(make: Callable[[], Any], beginning: bytes, chunks: Iterator[bytes | None]) -> Iterator[bytes | None]:
    stream, is_inside = make(), False
    for chunk in _steps(beginning, chunks):
        if chunk is None:
            yield None
            continue
        data = chunk
        while data:
            try:
                text = stream.decompress(data)
            except _FAILURES as error:
                raise ValueError(f"the compressed data is broken: {error}") from None
            if text:
                yield text
            is_inside = not stream.eof
            if is_inside:
                break
            data = stream.unused_data.lstrip(b"\0")  # gzip files may be padded
            stream = make()
    if is_inside:
        raise ValueError("the compressed data is truncated; what came before its end was read")


def _steps(beginning: bytes, chunks: Iterator[bytes | None]) -> Iterator[bytes | None]:
    for start in range(0, len(beginning), STEP):
        yield beginning[start : start + STEP]
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        for start in range(0, len(chunk), STEP):
            yield chunk[start : start + STEP]


def _maker(beginning: bytes) -> Callable[[], Any] | None:
    return next((make for magic, make in MAGICS.items() if beginning.startswith(magic)), None)

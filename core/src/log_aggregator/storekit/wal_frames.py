"""The frames of a write-ahead log: which of them are what was written, and which one changed bit has spoiled.

The checksum of each frame continues that of the frame before it, and both are stored, so the frames behind a damaged
one can still be checked. A checksum is linear in the words that it is made of, so one changed bit can be found and set
right. Format: https://www.sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

HEADER = 32
FRAME_HEADER = 24

_MAGIC = (0x377F0682, 0x377F0683)
_MASK = 0xFFFFFFFF

Sums = tuple[int, int]


class Log(NamedTuple):
    """A log as it lies on the disk, with a header that is right."""

    data: bytes
    order: str
    page: int
    salts: bytes

    @property
    def step(self) -> int:
        """Bytes from one frame to the next."""
        return FRAME_HEADER + self.page

    def at(self, number: int) -> int:
        """Where a frame begins; the first is 0."""
        return HEADER + number * self.step

    def content(self, number: int) -> bytes:
        """What the checksum of a frame is made of."""
        at = self.at(number)
        return self.data[at : at + 8] + self.data[at + FRAME_HEADER : at + self.step]

    def stored(self, number: int) -> Sums:
        """The checksum that stands in a frame; that of the header for -1."""
        at = self.at(number) + 16 if number >= 0 else 24
        return struct.unpack_from(">II", self.data, at)

    def ends_transaction(self, number: int) -> bool:
        """Whether a frame is the last of a transaction."""
        at = self.at(number)
        return self.data[at + 4 : at + 8] != b"\0\0\0\0"

    def is_of_this_log(self, number: int) -> bool:
        """Whether a frame has the salts of the header, but for one bit; frames of an older log lie behind it."""
        at = self.at(number) + 8
        return bits_between(self.data[at : at + 8], self.salts) <= 1

    def is_of_the_next_log(self, number: int) -> bool:
        """Whether a frame was written over this log: the header of the new one did not reach the disk."""
        salt = int.from_bytes(self.salts[:4], "big") + 1
        return self.data[self.at(number) + 8 : self.at(number) + 12] == (salt & _MASK).to_bytes(4, "big")

    def last(self) -> int:
        """How many frames there are up to the last that ends a transaction."""
        last = 0
        for number in range((len(self.data) - HEADER) // self.step):
            if self.is_of_the_next_log(number):
                return 0
            if self.is_of_this_log(number) and self.ends_transaction(number):
                last = number + 1
        return last


def bits_between(one: bytes, other: bytes) -> int:
    """How many bits differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def read_log(path: Path) -> Log | None:
    """The log of a file; `None` when there is none. One changed bit of the header is set right."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) < HEADER + FRAME_HEADER:
        return None
    for header in (data[:HEADER], *_flipped(data[:HEADER])):
        if (log := _parsed(header, data)) is not None:
            return log
    return None


def _flipped(header: bytes) -> Iterator[bytes]:
    number = int.from_bytes(header, "big")
    for bit in range(8 * len(header)):
        yield (number ^ 1 << bit).to_bytes(len(header), "big")


def _parsed(header: bytes, data: bytes) -> Log | None:
    magic, _, page = struct.unpack(">III", header[:12])
    if magic not in _MAGIC or page not in {1 << bit for bit in range(9, 17)}:
        return None
    order = "<" if magic == _MAGIC[0] else ">"
    if sums(order, header[:24], (0, 0)) != struct.unpack(">II", header[24:]):
        return None
    return Log(header + data[HEADER:], order, page, header[16:24])


def sums(order: str, content: bytes, begin: Sums) -> Sums:
    """The checksum of a piece that follows one with the checksum `begin`."""
    first, second = begin
    for one, two in struct.iter_unpack(f"{order}II", content):
        first = (first + one + second) & _MASK
        second = (second + two + first) & _MASK
    return first, second


class Examined(NamedTuple):
    """Frames that count, the right content of those that one bit had changed, and those that stay damaged."""

    frames: int
    corrected: dict[int, bytes]
    damaged: list[int]


def examine(log: Log, taken: int) -> Examined:
    """Look at the frames behind the first `taken`, which are whole.

    The last transaction is what a power cut tears, because each is synced before the next begins: where it is damaged
    by more than a bit, it was never acknowledged, and does not count.
    """
    frames = log.last()
    corrected: dict[int, bytes] = {}
    damaged: list[int] = []
    torn = -1
    stored = log.stored(taken - 1)
    for number in range(taken, frames):
        content, written = log.content(number), log.stored(number)
        computed = sums(log.order, content, stored)
        stored = written
        if not log.is_of_this_log(number):  # a sector of it is still that of the log before
            damaged.append(number)
            torn = number
            continue
        if computed == written:
            continue
        if _is_followed(log, number, frames, computed):  # only the stored checksum is wrong
            stored = computed
            continue
        if _is_bit(computed, written) and not _is_followed(log, number, frames, written):
            continue
        found = _corrections(log.order, content, computed, written)
        if len(found) == 1:
            corrected[number] = found[0]
        else:
            damaged.append(number)
            torn = torn if found else number
    begin = max((number + 1 for number in range(frames - 1) if _is_end(log, number)), default=0)
    if torn >= begin:
        return Examined(begin, {n: c for n, c in corrected.items() if n < begin}, [n for n in damaged if n < begin])
    return Examined(frames, corrected, damaged)


def _is_end(log: Log, number: int) -> bool:
    return log.is_of_this_log(number) and log.ends_transaction(number)


def _is_bit(computed: Sums, written: Sums) -> bool:
    return sum((one ^ other).bit_count() for one, other in zip(computed, written, strict=True)) == 1


def _is_followed(log: Log, number: int, frames: int, computed: Sums) -> bool:
    """Whether the next frame continues this checksum of a frame, which is right then."""
    return number + 1 < frames and sums(log.order, log.content(number + 1), computed) == log.stored(number + 1)


def _corrections(order: str, content: bytes, computed: Sums, written: Sums) -> list[bytes]:
    """The contents with one bit changed that have the checksum `written`: none where more was changed.

    High bits of different words may come to the same sum.
    """
    found = []
    wanted = ((written[0] - computed[0]) & _MASK, (written[1] - computed[1]) & _MASK)
    # What adding one to a word adds to both sums, from the last word to the first.
    of_first, of_second = (1, 1), (0, 1)
    byte_order: Literal["little", "big"] = "little" if order == "<" else "big"
    for pair in range(len(content) // 8 - 1, -1, -1):
        for offset, (one, two) in ((pair * 8 + 4, of_second), (pair * 8, of_first)):
            word = int.from_bytes(content[offset : offset + 4], byte_order)
            for bit in range(32):
                change = -(1 << bit) if word >> bit & 1 else 1 << bit
                if (change * one & _MASK, change * two & _MASK) == wanted:
                    right = (word ^ 1 << bit).to_bytes(4, byte_order)
                    found.append(content[:offset] + right + content[offset + 4 :])
        of_first, of_second = _before(of_first), _before(of_second)
    return found


def _before(effect: Sums) -> Sums:
    """What a change has come to after one more pair of words."""
    first = (effect[0] + effect[1]) & _MASK
    return first, (effect[1] + first) & _MASK

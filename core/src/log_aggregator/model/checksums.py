"""Checksums of values: which of them are kept, and in which cells they count. All of a column at once.

A checksum depends on the text alone, so a choice by it does not depend on any order.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from zlib import crc32

CELLS = 32
"""Counters in a row: a value of more than one log in `CELLS` is listed as frequent."""

RANKS = 2**32

_MIX, _MIX_2 = 0x9E3779B1, 0x85EBCA6B
_FIRST_ROW = bytes(byte & 31 for byte in range(256))
_SECOND_ROW = bytes(CELLS + (byte & 31) for byte in range(256))
_LOWEST_BYTE = 0 if sys.byteorder == "little" else 7
_MANY = 96


def checksums(texts: Collection[str]) -> list[int]:
    """The checksum of each text."""
    try:
        return list(map(crc32, map(str.encode, texts)))
    except UnicodeEncodeError:
        return [crc32(text.encode("utf-8", "surrogatepass")) for text in texts]


def lowest_keys(keys: Iterable[str], most: int) -> list[str]:
    """The `most` texts with the lowest checksums, lowest first; of equal ones those whose texts come first."""
    texts = list(keys)
    return [text for _, text in sorted(zip(checksums(texts), texts, strict=True))[:most]]


def lowest(counts: Mapping[str, int], ranks: Sequence[int], most: int) -> dict[str, int]:
    """The `most` values with the lowest checksums. `ranks` are the checksums of all."""
    if len(counts) <= most:
        return dict(counts)
    highest = sorted(ranks)[most - 1]
    kept = {text: count for (text, count), rank in zip(counts.items(), ranks, strict=True) if rank <= highest}
    return kept if len(kept) == most else {text: counts[text] for text in lowest_keys(counts, most)}


def cells_of(ranks: Sequence[int]) -> bytes:
    """The cells that values count in: for each one of the first row, then for each one of the second.

    The cell is the top five bits of a checksum, mixed by an odd factor. All are mixed in one multiplication, each in
    64 bits of a large number.
    """
    size = 8 * len(ranks)
    lanes = int.from_bytes(array("Q", ranks).tobytes(), sys.byteorder)
    first, second = (
        (lanes * mix >> 27).to_bytes(size, sys.byteorder)[_LOWEST_BYTE::8].translate(row)
        for mix, row in ((_MIX, _FIRST_ROW), (_MIX_2, _SECOND_ROW))
    )
    return first + second


def count_cells(cells: list[int], ranks: Sequence[int], counts: Collection[int]) -> list[int]:
    """Add the counts of values with these checksums to their cells, in `cells`."""
    if not ranks:
        return cells
    places = cells_of(ranks)
    if sum(counts) == len(counts):  # each came once
        if len(places) > _MANY:
            for place, count in Counter(places).items():
                cells[place] += count
        else:
            for place in places:
                cells[place] += 1
        return cells
    for place, count in zip(places, (*counts, *counts), strict=True):
        cells[place] += count
    return cells

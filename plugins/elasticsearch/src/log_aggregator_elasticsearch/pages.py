"""Pages of ids in the journal: each is a position, written in the transaction of the documents that it names."""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

SECONDS = 600
"""For how long an id is remembered."""

PAGES = 200
PAGE = 500
"""Ids from which on a page is full: what one request writes beside its documents stays small."""

LARGEST = 65_536
"""Bytes of a position."""

_HEAD = struct.Struct(">QIH")
_DOCUMENT = struct.Struct(">QI")
MOST = (LARGEST - _HEAD.size) // _DOCUMENT.size
"""Documents of one request that are kept."""


class Block(NamedTuple):
    """The documents of one request, each the hash of its id and of its content; `at` is in seconds since the epoch."""

    request: int
    at: int
    documents: tuple[tuple[int, int], ...]


class Page:
    """The blocks under one name, those that are durable, and what is to be written."""

    __slots__ = ("blocks", "name", "written")

    def __init__(self, name: str) -> None:
        self.name = name
        self.blocks: list[Block] = []
        self.written = b""

    @property
    def size(self) -> int:
        """How many ids it holds."""
        return sum(len(block.documents) for block in self.blocks)


class Pages:
    """A ring of pages. One that is being written is given to no other request."""

    def __init__(self) -> None:
        self._ring = deque(Page(f"ids {number}") for number in range(PAGES))
        self._open: list[Page] = []

    def load(self, position: Callable[[str], bytes | None], now: int) -> list[Block]:
        """What was kept and is not too old, in the order of time. Damaged pages hold nothing."""
        for page in self._ring:
            kept = position(page.name)
            if kept:
                page.blocks = [block for block in _blocks(kept) if 0 <= now - block.at <= SECONDS]
        self._ring = deque(sorted(self._ring, key=lambda page: max((block.at for block in page.blocks), default=0)))
        return sorted((block for page in self._ring for block in page.blocks), key=lambda block: block.at)

    def begin(self, block: Block) -> tuple[Page, Block]:
        """A page to write, with the block in it, of whose documents the first `MOST` are kept."""
        block = block._replace(documents=block.documents[:MOST])
        page = self._open.pop() if self._open and len(block.documents) <= PAGE else self._next()
        page.blocks = [known for known in page.blocks if time.time() - known.at <= SECONDS]
        page.written = b"".join(map(_packed, [*page.blocks, block]))
        return page, block

    def end(self, page: Page, block: Block | None) -> None:
        """Give a page back; with the block when it was written."""
        if block is not None:
            page.blocks.append(block)
        page.written = b""
        if page.size < PAGE:
            self._open.append(page)
        else:
            self._ring.append(page)

    def _next(self) -> Page:
        """The oldest page, emptied; one more when all are in use."""
        page = self._ring.popleft() if self._ring else Page(f"ids more {len(self._open)}")
        page.blocks = []
        return page


def _packed(block: Block) -> bytes:
    head = _HEAD.pack(block.request, block.at, len(block.documents))
    return head + b"".join([_DOCUMENT.pack(*document) for document in block.documents])


def _blocks(kept: bytes) -> Iterator[Block]:
    at = 0
    while at + _HEAD.size <= len(kept):
        request, when, count = _HEAD.unpack_from(kept, at)
        at, begin = at + _HEAD.size + count * _DOCUMENT.size, at + _HEAD.size
        if at > len(kept):
            return
        yield Block(request, when, tuple(_DOCUMENT.iter_unpack(kept[begin:at])))

"""Ids of documents that were stored lately: a document that comes again, in whatever request, is not counted again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import blake2b

from log_aggregator.http.receiving import SentBody
from log_aggregator_elasticsearch.pages import SECONDS, Block, Page, Pages

KEPT = 100_000
"""Ids that are remembered at most."""


class StoredIds:
    """Remembers ids for ten minutes, those of one worker: in memory, and in the journal with the documents."""

    def __init__(self, position: Callable[[str], bytes | None]) -> None:
        """`position` gives what was kept under a name before."""
        self._known: dict[int, tuple[int, int]] = {}
        self._order: deque[tuple[float, int]] = deque()
        self._pages = Pages()
        now, wall = time.monotonic(), int(time.time())
        for block in self._pages.load(position, wall):
            self._remember(block, now - (wall - block.at))

    def keep(self, request: int, documents: Sequence[tuple[int, int]]) -> tuple[Page, Block]:
        """Where documents, each its id and its content, are to be written together with their logs."""
        return self._pages.begin(Block(request, int(time.time()), tuple(documents)))

    def settle(self, page: Page, block: Block | None) -> None:
        """Remember what has become durable; with `None` nothing has."""
        self._pages.end(page, block)
        if block is not None:
            self._remember(block, time.monotonic())

    def has(self, document: int, request: int, content: int | None = None) -> bool:
        """Whether a document of this id was stored lately, with another request: the same one is recognised as a
        whole. With `content`, whether it was this document."""
        self._forget()
        known = self._known.get(document)
        if known is None or known[0] == request:
            return False
        return content is None or known[1] == content

    def _remember(self, block: Block, at: float) -> None:
        for document, content in block.documents:
            known = self._known.get(document)
            if known is None:
                self._order.append((at, document))
            if known is None or known[1] != content:
                self._known[document] = (block.request, content)
        self._forget()

    def _forget(self) -> None:
        oldest = time.monotonic() - SECONDS
        while self._order and (len(self._order) > KEPT or self._order[0][0] < oldest):
            self._known.pop(self._order.popleft()[1], None)


def document_hash(owner: str, index: str, name: str) -> int:
    """What stands for the id of a document. `owner` tells API keys apart."""
    return _hash(f"{owner}\0{index}\0{name}".encode("utf-8", "surrogatepass"), 8)


def content_hash(document: bytes) -> int:
    """What stands for the content of a document."""
    return _hash(document, 4)


def request_hash(sent: SentBody) -> int:
    """What stands for a request: the same for the same bytes from the same sender to the same path."""
    sender, path, body = sent.repetition
    whole = blake2b(f"{sender}\0{path}\0".encode("utf-8", "surrogateescape"), digest_size=8)
    whole.update(body)
    return int.from_bytes(whole.digest())


def _hash(data: bytes, size: int) -> int:
    return int.from_bytes(blake2b(data, digest_size=size).digest())

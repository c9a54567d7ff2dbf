"""Ids of documents that were stored lately: a document that comes again, in whatever request, is not counted again."""

from __future__ import annotations

import time
from collections import deque

KEPT = 100_000
"""Ids that are remembered at most."""

SECONDS = 600.0


class StoredIds:
    """Remembers ids for ten minutes, of one worker, in memory: a restart forgets them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}
        self._order: deque[tuple[float, int]] = deque()

    def add(self, owner: str, index: str, name: str, request: int, content: int = 0) -> None:
        """Remember a document that is durable. `owner` tells API keys apart, `request` what it came with."""
        one = hash((owner, index, name))
        known = self._known.get(one)
        if known is None:
            self._order.append((time.monotonic(), one))
        if known is None or known[1] != content:
            self._known[one] = (request, content)
            self._forget()

    def has(self, owner: str, index: str, name: str, request: int, content: int | None = None) -> bool:
        """Whether a document of this id was stored lately, with another request: the same one is recognised as a
        whole. With `content`, whether it was this document."""
        self._forget()
        known = self._known.get(hash((owner, index, name)))
        if known is None or known[0] == request:
            return False
        return content is None or known[1] == content

    def _forget(self) -> None:
        oldest = time.monotonic() - SECONDS
        while self._order and (len(self._order) > KEPT or self._order[0][0] < oldest):
            self._known.pop(self._order.popleft()[1], None)

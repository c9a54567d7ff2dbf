"""What a sink remembers of the rows it wrote last, so that hot rows need not be read back."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from log_aggregator.model.aggregate import Aggregate, Key
from log_aggregator.model.summary import packed

_ROW_COST = 400

_decoder = msgspec.msgpack.Decoder(Aggregate)


class States:
    """The stored state of rows by key, with a revision; the least recently used are forgotten.

    A memory only: a store must check the revision (or own its file alone) before it trusts a state,
    take over new states after its commit, and `clear` after any error. States lie here packed, so that
    `max_bytes` is about what they take in memory.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._known: OrderedDict[Key, tuple[int, bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: Key) -> tuple[int, Aggregate] | None:
        """The revision and state that were stored last under `key`, if remembered."""
        known = self._known.get(key)
        if known is None:
            return None
        self._known.move_to_end(key)
        return known[0], _decoder.decode(known[1])

    def take(self, key: Key) -> Aggregate | None:
        """The state under `key`, if remembered; it is forgotten here, because a newer one is coming."""
        known = self._known.get(key)
        if known is None:
            return None
        self._forget(key)
        return _decoder.decode(known[1])

    def put(self, key: Key, revision: int, state: Aggregate) -> None:
        """Remember what is stored now."""
        self._put(key, revision, packed(state))

    def take_over(self, newer: States) -> None:
        """Remember all that `newer` does, as the most recent; it is empty afterwards."""
        while newer._known:
            key, (revision, state) = newer._known.popitem(last=False)
            self._put(key, revision, state)
        newer.clear()

    def _put(self, key: Key, revision: int, state: bytes) -> None:
        if key in self._known:
            self._forget(key)
        self._known[key] = (revision, state)
        self._bytes += _ROW_COST + len(state)
        while self._bytes > self._max_bytes and self._known:
            self._forget(next(iter(self._known)))

    def _forget(self, key: Key) -> None:
        _, state = self._known.pop(key)
        self._bytes -= _ROW_COST + len(state)

    def clear(self) -> None:
        """Forget everything: what is stored is not known any more."""
        self._known.clear()
        self._bytes = 0

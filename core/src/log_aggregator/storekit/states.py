"""What a sink remembers of the rows it wrote last, so that hot rows need not be read back."""

from __future__ import annotations

from collections import OrderedDict

from log_aggregator.aggregate import Aggregate, Key
from log_aggregator.storekit.columns import Columns

_ROW_COST = 400


class States:
    """The stored state of rows by key, with a revision; the least recently used are forgotten.

    A memory only: a store must check the revision (or own its file alone) before it trusts a state,
    take over new states after its commit, and `clear` after any error. `max_bytes` counts JSON text,
    of which a state in memory is about three times.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._known: OrderedDict[Key, tuple[int, Aggregate, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: Key) -> tuple[int, Aggregate] | None:
        """The revision and state that were stored last under `key`, if remembered."""
        known = self._known.get(key)
        if known is None:
            return None
        self._known.move_to_end(key)
        return known[0], known[1]

    def take(self, key: Key) -> tuple[Aggregate, int] | None:
        """The state under `key` and its cost, if remembered; it is forgotten here, because a newer one is coming."""
        known = self._known.pop(key, None)
        if known is None:
            return None
        self._bytes -= known[2]
        return known[1], known[2]

    def put(self, key: Key, revision: int, state: Aggregate, columns: Columns | None, cost: int = _ROW_COST) -> None:
        """Remember what is stored now; `columns` tells the size of what changed, `cost` what it cost before."""
        known = self._known.pop(key, None)
        if known is not None:
            cost = max(cost, known[2])
        if columns is not None:
            written = len(columns.metadata or "") + len(columns.sample_messages or "") + len(columns.tags or "")
            cost = max(cost, _ROW_COST + written)
        self._bytes += cost - (known[2] if known else 0)
        self._known[key] = (revision, state, cost)
        self._forget_oldest()

    def take_over(self, newer: States) -> None:
        """Remember all that `newer` does, as the most recent; it is empty afterwards."""
        while newer._known:
            key, (revision, state, cost) = newer._known.popitem(last=False)
            self.put(key, revision, state, None, cost)
        newer.clear()

    def _forget_oldest(self) -> None:
        while self._bytes > self._max_bytes and self._known:
            self._bytes -= self._known.popitem(last=False)[1][2]

    def clear(self) -> None:
        """Forget everything: what is stored is not known any more."""
        self._known.clear()
        self._bytes = 0

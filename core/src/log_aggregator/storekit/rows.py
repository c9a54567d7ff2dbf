"""The rows of one flush: one a key, in the order in which every store locks them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from log_aggregator.model.aggregate import Aggregate, Key, merge, merge_all
from log_aggregator.storekit.columns import Columns, changed_columns, group_key


class Row(msgspec.Struct):
    """What a flush brings for one key (`fresh`), and what the row holds with it (`merged`)."""

    key: Key
    group_key: bytes
    fresh: Aggregate
    merged: Aggregate
    columns: Columns | None = None

    @property
    def order(self) -> tuple[str, int, bytes]:
        """The unique key of the row. All writers take rows in this order, so none waits in a circle."""
        return (self.key.pattern_id, self.key.bucket, self.group_key)

    def add_to(self, stored: Aggregate | None, max_samples: int) -> Columns:
        """Merge what is fresh with what is `stored`, and give the columns that change."""
        self.merged = self.fresh if stored is None else merge(stored, self.fresh, max_samples)
        self.columns = changed_columns(self.merged, stored)
        return self.columns


def rows_of(aggregates: Iterable[Aggregate], max_samples: int) -> list[Row]:
    """One row a key, in locking order."""
    merged = merge_all(aggregates, max_samples)
    rows = [Row(key, group_key(key), aggregate, aggregate) for key, aggregate in merged.items()]
    rows.sort(key=lambda row: row.order)
    return rows

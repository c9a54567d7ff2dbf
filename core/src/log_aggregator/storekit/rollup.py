"""How the rows of one hour become one row a group: which row stays, what it holds, which rows go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from log_aggregator.model.aggregate import Aggregate, Key, merge
from log_aggregator.storekit.columns import Columns, changed_columns

HOUR = 3600


class StoredRow(NamedTuple):
    """A row as it lies in a store: its database id and what it holds."""

    id: int
    key: Key
    aggregate: Aggregate


class RolledUp(NamedTuple):
    """`keep` becomes the hour's row and holds `merged`; the rows `drop` are in it and go."""

    keep: int
    merged: Aggregate
    columns: Columns
    drop: list[int]


def roll_up(hour: int, rows: Iterable[StoredRow], max_samples: int) -> list[RolledUp]:
    """Merge the rows of the hour that starts at `hour` (epoch seconds) by group.

    The row that starts with the hour is kept, so that no two rows claim its key; else the earliest.
    """
    groups: dict[Key, list[StoredRow]] = {}
    for row in rows:
        groups.setdefault(row.key._replace(bucket=hour), []).append(row)
    return [_merge_group(hour, group, max_samples) for group in groups.values()]


def _merge_group(hour: int, group: list[StoredRow], max_samples: int) -> RolledUp:
    group.sort(key=lambda row: (row.key.bucket, row.id))
    merged = group[0].aggregate
    for row in group[1:]:
        merged = merge(merged, row.aggregate, max_samples)
    merged = msgspec.structs.replace(merged, bucket=hour)
    return RolledUp(group[0].id, merged, changed_columns(merged, None), [row.id for row in group[1:]])

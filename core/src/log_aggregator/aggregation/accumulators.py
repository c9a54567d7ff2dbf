"""Kinds → groups: what is counted, kept and summarized while a flush gathers."""

from __future__ import annotations

from collections.abc import Iterator

from log_aggregator.aggregation.tally import Tally
from log_aggregator.model.aggregate import Aggregate
from log_aggregator.model.samples import choose
from log_aggregator.model.summary import Columns, Summary, extended, gather
from log_aggregator.model.validation import is_metadata
from log_aggregator.processing.partial_aggregates import Key, PartialAggregate

OVERFLOW_PATTERN = "{OVERFLOW}"
"""The pattern of groups beyond `max_groups`: their totals stay exact, their texts are not kept."""

_METADATA_AT_ONCE = 256
_METADATA_WAITING = 32_768
_OTHERS = 8
_GROUP_COST = 1000


class Accumulator:
    """One group while it gathers."""

    __slots__ = (
        "categories", "count", "first", "garbled", "latest", "metadata", "others", "pending", "tags", "waiting",
    )  # fmt: skip

    def __init__(self, kind: PartialAggregate) -> None:
        self.count = 0
        self.first, self.latest = kind.first, kind.latest
        self.others: list[str] = []
        self.pending: Columns = {}
        self.waiting = 0
        self.metadata: Summary = {}
        self.categories: dict[str, int] = {}
        self.tags: dict[str, int] = {}
        self.garbled = False

    def count_in(self, kind: PartialAggregate) -> None:
        """Count the logs, and keep the first and the latest message."""
        self.count += kind.logs
        if kind.first[0] < self.first[0]:
            self.first = kind.first
        if kind.latest[0] >= self.latest[0]:
            self.latest = kind.latest

    def describe(self, kind: PartialAggregate) -> int:
        """Take in what is said about the logs besides their message; by how much the metadata grew that waits."""
        category = kind.category
        if category:
            self.categories[category] = self.categories.get(category, 0) + kind.logs
        for tag in kind.tags:
            self.tags[tag] = self.tags.get(tag, 0) + kind.logs
        if not kind.metadata:
            return 0
        gather(self.pending, kind.metadata)
        grown = len(kind.metadata)
        self.waiting += grown
        if self.waiting >= _METADATA_AT_ONCE:
            grown -= self.waiting
            self.summarize_pending()
        return grown

    def summarize_pending(self) -> None:
        """Summarize the metadata that waits: many at once cost less than one by one."""
        pending, self.pending, self.waiting = self.pending, {}, 0
        try:
            self.metadata = extended(self.metadata, pending)
        except Exception:  # noqa: BLE001  a plugin's garbage costs its own metadata, not the logs
            self.garbled = True
            self.metadata = extended(self.metadata, _sound(pending))


def _sound(columns: Columns) -> Columns:
    """What of these can be kept."""
    kept = {key: [value for value in column if is_metadata({key: value})] for key, column in columns.items()}
    return {key: column for key, column in kept.items() if column}


class Accumulators:
    """Gathers kinds until `take` is called.

    `bytes` is about what the texts take that it holds, `waiting` how much metadata waits to be summarized.

    As the groups grow towards `max_groups`, samples are thinned first, then metadata is left out, and at
    last new patterns share the overflow pattern: memory is bounded and totals stay exact.
    """

    def __init__(self, max_groups: int, max_samples: int) -> None:
        self.max_groups = max_groups
        self._max_samples = max_samples
        self._groups: dict[Key, Accumulator] = {}
        self._in_turn: Iterator[Accumulator] = iter(())
        self.waiting = 0
        self.tally = Tally()
        self.logs = 0
        self.bytes = 0
        self.overflowed = 0
        self.garbled = False

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, kinds: list[PartialAggregate]) -> None:
        """Count what one batch holds."""
        for kind in kinds:
            self.logs += kind.logs
            self.tally.count(kind.key[2], kind.key[3], kind.logs)
            self._add(kind)
        while self.waiting > _METADATA_WAITING:
            self._summarize_next()

    def _summarize_next(self) -> None:
        """Summarize what waits of one group, each in its turn: all at once would hold the event loop up."""
        group = next(self._in_turn, None)
        if group is None:
            self._in_turn = iter(list(self._groups.values()))
        elif group.waiting:
            self.waiting -= group.waiting
            group.summarize_pending()

    def _add(self, kind: PartialAggregate) -> None:
        group = self._groups.get(kind.key) or self._new_group(kind)
        group.count_in(kind)
        gathered = len(self._groups)
        if gathered < self.max_groups * 0.5 and len(group.others) < _OTHERS and kind.between not in group.others:
            group.others.append(kind.between)
            self.bytes += len(kind.between)
        if gathered < self.max_groups * 0.75:
            self.waiting += group.describe(kind)

    def _new_group(self, kind: PartialAggregate) -> Accumulator:
        key = kind.key
        if len(self._groups) >= self.max_groups:
            bucket, _, level, source, _ = key
            key = (bucket, OVERFLOW_PATTERN, level, source, "")
            self.overflowed += kind.logs
        self.bytes += _GROUP_COST + len(key[1]) + 2 * len(kind.first[1])
        return self._groups.setdefault(key, Accumulator(kind))

    def take(self) -> Iterator[Aggregate]:
        """What has gathered so far; the fold is empty at once, and each aggregate is made when it is asked for.

        Each group goes as its aggregate comes: both of all of them would be the most that is ever in memory.
        """
        groups, self._groups, self._in_turn = self._groups, {}, iter(())
        self.logs = self.bytes = self.waiting = 0
        return (self._aggregate(key, groups.pop(key)) for key in list(groups))

    def _aggregate(self, key: Key, group: Accumulator) -> Aggregate:
        if group.pending:
            group.summarize_pending()
        self.garbled |= group.garbled
        return Aggregate(
            bucket=key[0],
            pattern=key[1],
            level=key[2],
            source=key[3],
            count=group.count,
            first_seen=group.first[0],
            last_seen=group.latest[0],
            group=key[4],
            metadata=group.metadata,
            samples=choose(group.first[1], group.latest[1], group.others, self._max_samples),
            categories=group.categories,
            tags=group.tags,
        )

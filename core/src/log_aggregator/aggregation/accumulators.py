"""Partial aggregates → accumulated groups: counts, samples and summaries since the last seal."""

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

OVERFLOW_SOURCE = "(other)"
OVERFLOW_LEVEL = "OTHER"
"""Source and level of groups beyond a tenth more: clients choose both."""

_OVERFLOW_GROUPS = 50

_METADATA_AT_ONCE = 256
_METADATA_WAITING = 32_768
_OTHERS = 8
_GROUP_COST = 1000


class Accumulator:
    """One group since the last seal."""

    __slots__ = (
        "categories", "count", "first", "invalid", "latest", "metadata", "others", "pending", "tags", "waiting",
    )  # fmt: skip

    def __init__(self, partial: PartialAggregate) -> None:
        self.count = 0
        self.first, self.latest = partial.first, partial.latest
        self.others: list[str] = []
        self.pending: Columns = {}
        self.waiting = 0
        self.metadata: Summary = {}
        self.categories: dict[str, int] = {}
        self.tags: dict[str, int] = {}
        self.invalid = False

    def count_in(self, partial: PartialAggregate) -> None:
        """Count the logs and keep the first and the latest message."""
        self.count += partial.logs
        if partial.first[0] < self.first[0]:
            self.first = partial.first
        if partial.latest[0] >= self.latest[0]:
            self.latest = partial.latest

    def describe(self, partial: PartialAggregate) -> int:
        """Add category, tags and metadata. Returns by how much the metadata grew that waits to be summarized."""
        category = partial.category
        if category:
            self.categories[category] = self.categories.get(category, 0) + partial.logs
        for tag in partial.tags:
            self.tags[tag] = self.tags.get(tag, 0) + partial.logs
        if not partial.metadata:
            return 0
        gather(self.pending, partial.metadata)
        grown = len(partial.metadata)
        self.waiting += grown
        if self.waiting >= _METADATA_AT_ONCE:
            grown -= self.waiting
            self.summarize_pending()
        return grown

    def summarize_pending(self) -> None:
        """Summarize the metadata that waits: many values at once cost less than one by one."""
        pending, self.pending, self.waiting = self.pending, {}, 0
        try:
            self.metadata = extended(self.metadata, pending)
        except Exception:  # noqa: BLE001  invalid metadata of a plugin is dropped, the logs are counted
            self.invalid = True
            self.metadata = extended(self.metadata, _valid(pending))


def _valid(columns: Columns) -> Columns:
    """The columns without their invalid values."""
    kept = {key: [value for value in column if is_metadata({key: value})] for key, column in columns.items()}
    return {key: column for key, column in kept.items() if column}


class Accumulators:
    """All groups since the last seal.

    `logs` counts their logs, `bytes` estimates their texts, `waiting` counts metadata values that are not summarized
    yet, `overflowed` counts logs of the overflow pattern since the start. `found_invalid` is set when a plugin left
    invalid metadata.

    As the groups approach `max_groups`, further samples are left out first, then metadata; then new patterns share the
    overflow pattern, and at last new sources and levels share one. Memory is bounded and totals stay exact.
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
        self.found_invalid = False

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, partials: list[PartialAggregate]) -> None:
        """Add the partial aggregates of one batch."""
        for partial in partials:
            self.logs += partial.logs
            self.tally.count(partial.key[2], partial.key[3], partial.logs)
            self._add(partial)
        while self.waiting > _METADATA_WAITING:
            self._summarize_next()

    def _summarize_next(self) -> None:
        """Summarize what waits of one group, round robin: all groups at once would block the event loop."""
        group = next(self._in_turn, None)
        if group is None:
            self._in_turn = iter(list(self._groups.values()))
        elif group.waiting:
            self.waiting -= group.waiting
            group.summarize_pending()

    def _add(self, partial: PartialAggregate) -> None:
        group = self._groups.get(partial.key) or self._new_group(partial)
        group.count_in(partial)
        groups = len(self._groups)
        if groups < self.max_groups * 0.5 and len(group.others) < _OTHERS and partial.between not in group.others:
            group.others.append(partial.between)
            self.bytes += len(partial.between)
        if groups < self.max_groups * 0.75:
            self.waiting += group.describe(partial)

    def _new_group(self, partial: PartialAggregate) -> Accumulator:
        key = partial.key
        if len(self._groups) >= self.max_groups:
            bucket, _, level, source, _ = key
            if len(self._groups) >= self.max_groups + max(_OVERFLOW_GROUPS, self.max_groups // 10):
                level, source = OVERFLOW_LEVEL, OVERFLOW_SOURCE
            key = (bucket, OVERFLOW_PATTERN, level, source, "")
            self.overflowed += partial.logs
        self.bytes += _GROUP_COST + len(key[1]) + 2 * len(partial.first[1])
        return self._groups.setdefault(key, Accumulator(partial))

    def take(self) -> Iterator[Aggregate]:
        """Remove all groups and return their aggregates, each made when the iterator reaches it.

        A group is freed as its aggregate is made: holding both for all groups would be the peak of memory.
        """
        groups, self._groups, self._in_turn = self._groups, {}, iter(())
        self.logs = self.bytes = self.waiting = 0
        return (self._aggregate(key, groups.pop(key)) for key in list(groups))

    def _aggregate(self, key: Key, group: Accumulator) -> Aggregate:
        if group.pending:
            group.summarize_pending()
        self.found_invalid |= group.invalid
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

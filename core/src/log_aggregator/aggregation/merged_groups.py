"""Groups that other services sent, since the last seal."""

from __future__ import annotations

from collections.abc import Iterator

from log_aggregator.model.aggregate import Aggregate, merge
from log_aggregator.processing.partial_aggregates import Key


class MergedGroups:
    """Aggregates of other services by key, merged."""

    def __init__(self, max_samples: int) -> None:
        self._max_samples = max_samples
        self.groups: dict[Key, Aggregate] = {}

    def add(self, key: Key, aggregate: Aggregate) -> int:
        """Add an aggregate; the characters of its texts when its group is new, else 0."""
        known = self.groups.get(key)
        self.groups[key] = aggregate if known is None else merge(known, aggregate, self._max_samples)
        return sum(map(len, (aggregate.pattern, *aggregate.samples.messages))) if known is None else 0

    def with_own(self, own: Aggregate) -> Aggregate:
        """This service's own aggregate with what others sent of its group, which is taken out."""
        sent = self.groups.pop((own.bucket, own.pattern, own.level, own.source, own.group), None)
        return own if sent is None else merge(own, sent, self._max_samples)

    def rest(self) -> Iterator[Aggregate]:
        """The groups that were not taken out, each freed when the iterator reaches it."""
        for key in list(self.groups):
            yield self.groups.pop(key)


def bare(aggregate: Aggregate, key: Key) -> Aggregate:
    """The counts and times of an aggregate under another key, without its texts."""
    bucket, pattern, level, source, group = key
    return Aggregate(
        bucket,
        pattern,
        level,
        source,
        aggregate.count,
        aggregate.first_seen,
        aggregate.last_seen,
        group,
        minutes=aggregate.minutes,
    )

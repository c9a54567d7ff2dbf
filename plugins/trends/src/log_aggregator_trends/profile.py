"""The usual metadata values of a series, and those over-represented in the last minutes."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from math import log
from sys import intern

import msgspec

from log_aggregator.model.summary import KeySummary
from log_aggregator.model.values import Values
from log_aggregator.sinks import Aggregate

_MAX_KEYS = 6
_MAX_VALUES = 12
_DECAY = 0.97
_MIN_COUNT = 5.0
_MIN_SHARE = 0.2
_MIN_LIFT = 2.0

ValueCounts = dict[str, dict[str, float]]


def brief(aggregate: Aggregate) -> Aggregate:
    """The aggregate with only the metadata that a new profile reads; all of it is several times larger."""
    metadata = {
        key: KeySummary.of(summary.count, Values(dict(islice(_pairs(summary), _MAX_VALUES))))
        for key, summary in islice(aggregate.metadata.items(), _MAX_KEYS)
    }
    return msgspec.structs.replace(aggregate, metadata=metadata)


def _pairs(summary: KeySummary) -> Collection[tuple[str, int]]:
    """Values with their counts: all of them, or the most frequent when the summary is incomplete."""
    values = summary.values
    return values.kept.items() if values.complete else values.frequent(summary.count)


class Profile:
    """Counts of metadata values: `usual` decay exponentially, `recent` are those of the last minutes."""

    __slots__ = ("recent", "recent_total", "usual", "usual_total")

    def __init__(self) -> None:
        self.usual: ValueCounts = {}
        self.usual_total = 0.0
        self.recent: ValueCounts = {}
        self.recent_total = 0.0

    def add(self, aggregate: Aggregate) -> None:
        """Add an aggregate's values to the recent counts."""
        self.recent_total += aggregate.count
        for key, summary in aggregate.metadata.items():
            values = self.recent.get(key)
            if values is None:
                if len(self.recent) >= _MAX_KEYS:
                    continue
                values = self.recent[key] = {}
            for value, count in _pairs(summary):
                if value in values or len(values) < _MAX_VALUES:
                    # Each flush holds its own copies of equal strings: share one per value.
                    values[intern(value)] = values.get(value, 0.0) + count

    def settle(self) -> None:
        """Merge the recent counts into the usual ones. Not called while the series alerts."""
        for values in self.usual.values():
            for value in values:
                values[value] *= _DECAY
        self.usual_total = self.usual_total * _DECAY + self.recent_total
        for key, recent in self.recent.items():
            usual = self.usual.setdefault(key, {})
            for value, count in recent.items():
                usual[value] = usual.get(value, 0.0) + count
            if len(usual) > _MAX_VALUES:
                for value in sorted(usual, key=usual.__getitem__)[: len(usual) - _MAX_VALUES]:
                    del usual[value]
        if len(self.usual) > _MAX_KEYS:
            for key in list(self.usual)[: len(self.usual) - _MAX_KEYS]:
                del self.usual[key]
        self.recent, self.recent_total = {}, 0.0

    def over_represented(self) -> list[dict[str, object]]:
        """At most three values whose share has at least doubled, in descending order of significance.

        Significance is the count times the logarithm of the lift: the value's term of the Kullback-Leibler divergence.
        """
        found: list[tuple[float, dict[str, object]]] = []
        for key, values in self.recent.items():
            usual = self.usual.get(key, {})
            for value, count in values.items():
                share = count / self.recent_total
                before = (usual.get(value, 0.0) + 0.5) / (self.usual_total + 1.0)
                if count < _MIN_COUNT or share < _MIN_SHARE or share < _MIN_LIFT * before:
                    continue
                row = {"key": key, "value": value, "share": round(share, 3), "usual_share": round(before, 3)}
                found.append((count * log(share / before), row))
        found.sort(key=lambda pair: -pair[0])
        return [row for _, row in found[:3]]

"""Which metadata values a series usually has, and which are over-represented now."""

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
_KEEP = 0.97
_LEAST = 5.0
_LEAST_SHARE = 0.2
_LEAST_LIFT = 2.0

Counts = dict[str, dict[str, float]]


def brief(aggregate: Aggregate) -> Aggregate:
    """The aggregate with as much of its metadata as a new profile takes: the whole of it is several times larger."""
    metadata = {
        key: KeySummary.of(summary.count, Values(dict(islice(_pairs(summary), _MAX_VALUES))))
        for key, summary in islice(aggregate.metadata.items(), _MAX_KEYS)
    }
    return msgspec.structs.replace(aggregate, metadata=metadata)


def _pairs(summary: KeySummary) -> Collection[tuple[str, int]]:
    """Values with their counts: all of them, or the most frequent."""
    values = summary.values
    return values.kept.items() if values.complete else values.frequent(summary.count)


class Profile:
    """Counts of metadata values: what is usual (fading), and those of the last minutes."""

    __slots__ = ("recent", "recent_total", "usual", "usual_total")

    def __init__(self) -> None:
        self.usual: Counts = {}
        self.usual_total = 0.0
        self.recent: Counts = {}
        self.recent_total = 0.0

    def add(self, aggregate: Aggregate) -> None:
        """Count the values of an aggregate among the recent ones."""
        self.recent_total += aggregate.count
        for key, summary in aggregate.metadata.items():
            values = self.recent.get(key)
            if values is None:
                if len(self.recent) >= _MAX_KEYS:
                    continue
                values = self.recent[key] = {}
            for value, count in _pairs(summary):
                if value in values or len(values) < _MAX_VALUES:
                    # Flushes and series bring equal texts as objects of their own: one of each is enough.
                    values[intern(value)] = values.get(value, 0.0) + count

    def settle(self) -> None:
        """Make the recent values part of the usual ones. Not called while the series alerts."""
        for values in self.usual.values():
            for value in values:
                values[value] *= _KEEP
        self.usual_total = self.usual_total * _KEEP + self.recent_total
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
        """At most three values whose share has at least doubled, the most telling first.

        Ordered by the count times the logarithm of the lift: the value's part of the Kullback-Leibler divergence.
        """
        found: list[tuple[float, dict[str, object]]] = []
        for key, values in self.recent.items():
            usual = self.usual.get(key, {})
            for value, count in values.items():
                share = count / self.recent_total
                before = (usual.get(value, 0.0) + 0.5) / (self.usual_total + 1.0)
                if count < _LEAST or share < _LEAST_SHARE or share < _LEAST_LIFT * before:
                    continue
                row = {"key": key, "value": value, "share": round(share, 3), "usual_share": round(before, 3)}
                found.append((count * log(share / before), row))
        found.sort(key=lambda pair: -pair[0])
        return [row for _, row in found[:3]]

"""Counts per minute and series, by the time the logs were received."""

from __future__ import annotations

from log_aggregator.model.record import ERROR_LEVELS
from log_aggregator.sinks import Flush
from log_aggregator_trends.series import SeriesKey

_MINUTE = 60_000_000


class Counts:
    """Counts per series for the minutes that have not ended.

    `opened` is the first minute that accepts counts; `late` is the number of logs of earlier minutes.
    """

    def __init__(self, opened: int) -> None:
        self.opened = opened
        self.late = 0
        self._minutes: dict[int, dict[SeriesKey, int]] = {}

    def add(self, flush: Flush) -> None:
        """Distribute the counts of a flush evenly over the time in which its logs were received.

        Logs of an ended minute count as `late` only: added to the current minute, they would look like a burst.
        """
        totals: dict[SeriesKey, int] = {}
        for aggregate in flush.aggregates:
            keys = [SeriesKey("pattern", aggregate.pattern_id), SeriesKey("source", aggregate.source)]
            if aggregate.level in ERROR_LEVELS:
                keys.append(SeriesKey("errors", aggregate.source))
            for key in keys:
                totals[key] = totals.get(key, 0) + aggregate.count
        shares = _shares(flush.opened, flush.sealed)
        for key, count in totals.items():
            given = 0
            reached = 0.0
            for minute, share in shares:
                reached += share
                part = round(count * reached) - given
                given += part
                if minute < self.opened:
                    self.late += part
                elif part:
                    bucket = self._minutes.setdefault(minute, {})
                    bucket[key] = bucket.get(key, 0) + part

    def close(self, minute: int) -> dict[SeriesKey, int]:
        """End `minute` and return its counts; counts of earlier minutes are discarded."""
        self.opened = max(self.opened, minute + 1)
        for old in [known for known in self._minutes if known < minute]:
            del self._minutes[old]
        return self._minutes.pop(minute, {})

    def rename(self, old: str, new: str) -> None:
        """Move the counts of the pattern id `old` to the pattern id `new`."""
        old_key, new_key = SeriesKey("pattern", old), SeriesKey("pattern", new)
        for bucket in self._minutes.values():
            if old_key in bucket:
                bucket[new_key] = bucket.get(new_key, 0) + bucket.pop(old_key)


def _shares(opened: int, sealed: int) -> list[tuple[int, float]]:
    """The minutes between two times (microseconds), each with its share of the interval; shares sum to 1."""
    first, last = opened // _MINUTE, max(opened, sealed) // _MINUTE
    if first == last:
        return [(first, 1.0)]
    length = sealed - opened
    shares: list[tuple[int, float]] = []
    for minute in range(first, last + 1):
        start, end = max(opened, minute * _MINUTE), min(sealed, (minute + 1) * _MINUTE)
        shares.append((minute, (end - start) / length))
    return shares

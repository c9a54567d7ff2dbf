"""The count of each group in its bucket so far, and in the previous bucket."""

from __future__ import annotations

from typing import NamedTuple

from log_aggregator.sinks import Aggregate, Flush

Series = tuple[str, str, str, str]
"""Pattern id, level, source and group: the key of an aggregate without its bucket."""

MAX_SERIES = 50_000
"""Series that are tracked. When more are active, all are dropped and have no trend until two buckets later."""


class Trend(NamedTuple):
    """Counts of a series: `logs` in the bucket so far, including this flush; `previous` in the bucket before."""

    logs: int
    previous: int


class SeriesState(NamedTuple):
    """The latest bucket of one series, with its count and that of the bucket before."""

    bucket: int
    logs: int
    previous: int


class FlushTrends(NamedTuple):
    """The result of `TrendTracker.compute`: a trend or `None` per aggregate, and the states after the flush."""

    trends: list[Trend | None]
    states: dict[Series, SeriesState]
    newest: int


class TrendTracker:
    """Keeps the counts of two buckets per series, from `since` (seconds since the epoch) on."""

    def __init__(self, step: int, since: float) -> None:
        self._step = step
        self._known_from = since
        self._states: dict[Series, SeriesState] = {}
        self._newest = 0

    def compute(self, flush: Flush) -> FlushTrends:
        """The trends of a flush. Does not change the tracker: call `commit` once the flush is delivered."""
        trends: list[Trend | None] = [None] * len(flush.aggregates)
        states: dict[Series, SeriesState] = {}
        newest = self._newest
        for index in sorted(range(len(trends)), key=lambda index: flush.aggregates[index].bucket):
            aggregate = flush.aggregates[index]
            series = (aggregate.pattern_id, aggregate.level, aggregate.source, aggregate.group)
            state = self._next(states.get(series) or self._states.get(series), aggregate)
            states[series] = state
            newest = max(newest, aggregate.bucket)
            if state.bucket == aggregate.bucket and aggregate.bucket - self._step >= self._known_from:
                trends[index] = Trend(state.logs, state.previous)
        return FlushTrends(trends, states, newest)

    def commit(self, computed: FlushTrends) -> None:
        """Apply the states of a delivered flush."""
        self._newest = computed.newest
        self._states.update(computed.states)
        if len(self._states) > MAX_SERIES:
            self._forget_old()

    def reset(self, since: float) -> None:
        """Drop all counts: flushes were lost before `since`, so they are too low."""
        self._states.clear()
        self._known_from = since

    def _next(self, state: SeriesState | None, aggregate: Aggregate) -> SeriesState:
        bucket, count = aggregate.bucket, aggregate.count
        if state is None:
            return SeriesState(bucket, count, 0)
        if bucket == state.bucket:
            return state._replace(logs=state.logs + count)
        if bucket == state.bucket + self._step:
            return SeriesState(bucket, count, state.logs)
        if bucket > state.bucket:
            return SeriesState(bucket, count, 0)
        if bucket == state.bucket - self._step:
            return state._replace(previous=state.previous + count)
        return state

    def _forget_old(self) -> None:
        """Drop the series without a log in the last two buckets: they have no previous count either way."""
        oldest = self._newest - self._step
        self._states = {series: state for series, state in self._states.items() if state.bucket >= oldest}
        if len(self._states) > MAX_SERIES:
            self._states.clear()
            self._known_from = max(self._known_from, self._newest + 1)

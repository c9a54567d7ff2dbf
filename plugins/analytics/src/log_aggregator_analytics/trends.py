"""How often each group came in its bucket so far, and in the whole bucket before."""

from __future__ import annotations

from typing import NamedTuple

from log_aggregator.sinks import Aggregate, Flush

Series = tuple[str, str, str, str]
"""Pattern id, level, source, group: what makes a key apart from its bucket."""

MAX_SERIES = 50_000
"""Series that are watched. Those that come while so many are in use have no trend."""


class Trend(NamedTuple):
    """`logs` in the bucket so far, this flush with it; `previous` in the bucket before."""

    logs: int
    previous: int


class State(NamedTuple):
    """Where one series stands: its latest bucket."""

    bucket: int
    logs: int
    previous: int


class Look(NamedTuple):
    """What a flush adds: a trend (or `None`) for each of its aggregates, and the states after it."""

    trends: list[Trend | None]
    states: dict[Series, State]
    newest: int


class Watch:
    """Remembers two buckets of each series. Knows nothing of the time before `since` (epoch seconds)."""

    def __init__(self, step: int, since: float) -> None:
        self._step = step
        self._known_from = since
        self._states: dict[Series, State] = {}
        self._newest = 0

    def look(self, flush: Flush) -> Look:
        """The trends of a flush. Changes nothing: call `take` once the flush is delivered."""
        trends: list[Trend | None] = [None] * len(flush.aggregates)
        states: dict[Series, State] = {}
        newest = self._newest
        for index in sorted(range(len(trends)), key=lambda index: flush.aggregates[index].bucket):
            aggregate = flush.aggregates[index]
            series = (aggregate.pattern_id, aggregate.level, aggregate.source, aggregate.group)
            state = self._next(states.get(series) or self._states.get(series), aggregate)
            states[series] = state
            newest = max(newest, aggregate.bucket)
            if state.bucket == aggregate.bucket and aggregate.bucket - self._step >= self._known_from:
                trends[index] = Trend(state.logs, state.previous)
        return Look(trends, states, newest)

    def take(self, look: Look) -> None:
        """Remember a flush that was delivered."""
        self._newest = look.newest
        self._states.update(look.states)
        if len(self._states) > MAX_SERIES:
            self._forget_old()

    def forget(self, since: float) -> None:
        """Flushes were lost: what was counted is too low, so begin anew."""
        self._states.clear()
        self._known_from = since

    def _next(self, state: State | None, aggregate: Aggregate) -> State:
        bucket, count = aggregate.bucket, aggregate.count
        if state is None:
            return State(bucket, count, 0)
        if bucket == state.bucket:
            return state._replace(logs=state.logs + count)
        if bucket == state.bucket + self._step:
            return State(bucket, count, state.logs)
        if bucket > state.bucket:
            return State(bucket, count, 0)
        if bucket == state.bucket - self._step:
            return state._replace(previous=state.previous + count)
        return state

    def _forget_old(self) -> None:
        """A series without a log in the last two buckets is as good as a new one: forget it."""
        oldest = self._newest - self._step
        self._states = {series: state for series, state in self._states.items() if state.bucket >= oldest}
        if len(self._states) > MAX_SERIES:
            self._states.clear()
            self._known_from = max(self._known_from, self._newest + 1)

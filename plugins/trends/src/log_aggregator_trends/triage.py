"""What people said of patterns: muted ones do not alert until they are many, resolved ones alert when they return."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from log_aggregator import RetryableError
from log_aggregator.oncall import OnCallStore, Triage, TriageChange
from log_aggregator.sinks import Aggregate, Flush
from log_aggregator_trends.series import Finding, Series, SeriesKey

_DEADLINE = 5.0
_HOUR = 60
_SCORE = 0.6
_BY = "trends"
_OPEN: dict[str, Any] = {"state": "open", "muted_until": None, "mute_times": None, "mute_rate": None}

log = logging.getLogger(__name__)


class TriageWatch:
    """The triage of all patterns, read anew every minute. Without a store that keeps any, it is empty."""

    def __init__(self, store: Callable[[], object] = lambda: None, clock: Callable[[], float] = time.time) -> None:
        """`store` gives the store that is read, if there is one; `clock` returns seconds since the epoch."""
        self._store = store
        self._clock = clock
        self._known: dict[str, Triage] = {}
        self._pending: list[tuple[str, TriageChange]] = []
        self._hours: dict[str, deque[int]] = {}
        self._samples: dict[str, Aggregate] = {}
        self.muted: frozenset[str] = frozenset()
        """The ids of patterns that never alert now."""
        self.asked = False
        """Whether a store was asked since the start, with or without an answer."""

    async def refresh(self) -> frozenset[str]:
        """Write what was found, and read the triage; the patterns that are muted now and were not, or the reverse.

        While the store is out of reach, what was read last holds.
        """
        store = self._store()
        if not isinstance(store, OnCallStore):
            return frozenset()
        self.asked = True
        try:
            async with asyncio.timeout(_DEADLINE):
                while self._pending:
                    await store.change_triage(*self._pending[0])
                    self._pending.pop(0)
                self._known = await store.triage()
        except (RetryableError, TimeoutError, ValueError) as error:
            log.warning("triage cannot be read; it stays as it was", extra={"error": type(error).__name__})
        now = self._now()
        muted = frozenset(name for name, triage in self._known.items() if triage.at(now).state == "muted")
        self._hours = {name: self._hours.get(name, deque(maxlen=_HOUR)) for name in muted}
        self._samples = {name: sample for name, sample in self._samples.items() if name in muted}
        changed, self.muted = muted ^ self.muted, muted
        return changed

    def add(self, flush: Flush) -> list[tuple[Finding, Series]]:
        """The resolved patterns that came again in a flush, each once, with their series."""
        found = []
        for aggregate in flush.aggregates:
            triage = self._known.get(aggregate.pattern_id)
            if triage is None:
                continue
            if aggregate.pattern_id in self.muted:
                self._samples[aggregate.pattern_id] = aggregate
            elif triage.state == "resolved" and not triage.returned_at and triage.at(0, aggregate.last_seen) != triage:
                self._change(aggregate.pattern_id, {"returned_at": aggregate.last_seen})
                found.append(_found("returned", aggregate, {"seen": aggregate.count, "resolved_by": triage.changed_by}))
        return found

    def end_minute(self, counts: Mapping[SeriesKey, int]) -> list[tuple[Finding, Series]]:
        """The muted patterns that came so many times as often that they are open again, with their series."""
        found = []
        for name, hour in self._hours.items():
            hour.append(counts.get(SeriesKey("pattern", name), 0))
            triage, sample = self._known[name], self._samples.get(name)
            if triage.mute_times is None or triage.mute_rate is None or sample is None:
                continue
            if sum(hour) >= triage.mute_times * triage.mute_rate:
                self._change(name, _OPEN)
                figures = {"seen": sum(hour), "window_minutes": len(hour), "usual_an_hour": triage.mute_rate}
                found.append(_found("escalated", sample, figures))
        for finding, _ in found:
            del self._hours[finding.key.name]
        return found

    def _change(self, name: str, fields: dict[str, Any]) -> None:
        self._pending.append((name, TriageChange(at=self._now(), by=_BY, fields=fields)))
        self._known[name] = self._known[name].model_copy(update=fields)
        self.muted -= {name}

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)


def _found(kind: str, aggregate: Aggregate, figures: dict[str, Any]) -> tuple[Finding, Series]:
    series = Series(SeriesKey("pattern", aggregate.pattern_id))
    series.describe(aggregate)
    return Finding(series.key, kind, 3, _SCORE, True, None, figures), series

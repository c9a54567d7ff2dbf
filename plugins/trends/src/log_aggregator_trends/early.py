"""Alarms without a history: severe logs, shares of errors and new error patterns while the series are still learned."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import msgspec

from log_aggregator.model.record import ERROR_LEVELS
from log_aggregator.sinks import Aggregate, Flush
from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.series import Finding, Series, SeriesKey

SEVERE_LEVELS = frozenset({"CRITICAL", "FATAL"})

QUARTER = 15
"""Minutes after the first start in which every pattern is new."""

STATED_SHARE = 0.25
"""Share of errors of a source that is an alarm while there is nothing to compare it with."""

_STATED_ERRORS = 20
_MIN_ERRORS = 10
_MIN_SHARE = 0.1
_LIFT = 4.0
_ALMOST_NEVER = log(1e8)
_WINDOWS = (2, 5)
_HISTORY = 60
_KNOWN_MINUTES = 10
_KNOWN_LOGS = 200
_HEAVY = 10
_ESCALATES = 3.0
_TOO_OLD = 30
_PAST = 60
"""Minutes before a flush that its logs may be old: a file that is read from its beginning tells of the past."""
_MINUTE = 60_000_000
_MOST_PATTERNS = 20_000
_NEW_SCORE, _SHARE_SCORE, _SEVERE_SCORE = 0.5, 0.7, 0.8


class _Minute(msgspec.Struct):
    """Counts of one minute: by source [logs, errors], and of what is rare by (kind, name)."""

    sources: dict[str, list[int]] = {}
    rare: dict[tuple[str, str], int] = {}


class EarlyAlarms:
    """Looks at every flush until the learning is over. Keeps an hour of counts by source.

    The first log of a severe level, or of an error pattern that is new after the first quarter of an hour, is an
    alarm. Later ones are alarms when they are many, and more than those before: a day has a few of them anyway.
    """

    def __init__(self, config: TrendsConfig, first_minute: int, told: int = 0) -> None:
        """`told` is the state of an earlier run, see the property."""
        self._first_minute = first_minute
        self._until = first_minute + config.learning_hours * 60.0
        self.told = told
        """The most severe and new error logs within five minutes that were an alarm; 0: none was."""
        self._minutes: dict[int, _Minute] = {}
        self._errors: set[str] = set()

    def add(
        self, flush: Flush, now: int, is_known: Callable[[str], bool], is_quiet: Callable[[Aggregate], bool]
    ) -> list[tuple[Finding, Series]]:
        """Count a flush; the findings in it with their series, most important first.

        `now` is the minute that ends next. `is_known` says whether a pattern id was seen before this flush, `is_quiet`
        whether a group never alerts.
        """
        minute = flush.sealed // _MINUTE
        if now > self._until or minute < now - _TOO_OLD:
            self._minutes.clear()
            return []
        for alias in flush.aliases:
            if alias.old_id in self._errors or is_known(alias.old_id):
                self._errors.add(alias.new_id)
        counts = self._minutes.setdefault(minute, _Minute())
        latest: dict[tuple[str, str], Aggregate] = {}
        for aggregate in flush.aggregates:
            if is_quiet(aggregate):
                continue
            is_new = self._is_new(aggregate, minute, is_known)
            if aggregate.last_seen > flush.sealed - _PAST * _MINUTE:
                self._count(aggregate, counts, latest, is_new=is_new)
        for old in [known for known in self._minutes if known < minute - _HISTORY]:
            del self._minutes[old]
        found = [*self._severe_and_new(minute, latest), *self._shares(minute, latest)]
        return sorted(found, key=lambda pair: -pair[0].score)

    def _is_new(self, aggregate: Aggregate, minute: int, is_known: Callable[[str], bool]) -> bool:
        if aggregate.level not in ERROR_LEVELS or len(self._errors) >= _MOST_PATTERNS:
            return False
        name = aggregate.pattern_id
        new = name not in self._errors and not is_known(name) and minute >= self._first_minute + QUARTER
        self._errors.add(name)
        recent = range(minute - _WINDOWS[-1] + 1, minute + 1)
        return new or any(("new_pattern", name) in self._minutes[m].rare for m in recent if m in self._minutes)

    @staticmethod
    def _count(
        aggregate: Aggregate, counts: _Minute, latest: dict[tuple[str, str], Aggregate], *, is_new: bool
    ) -> None:
        source = counts.sources.setdefault(aggregate.source, [0, 0])
        source[0] += aggregate.count
        if aggregate.level not in ERROR_LEVELS:
            return
        source[1] += aggregate.count
        latest["errors", aggregate.source] = aggregate
        kinds = (["severe"] if aggregate.level in SEVERE_LEVELS else []) + (["new_pattern"] if is_new else [])
        for kind in kinds:
            key = (kind, aggregate.pattern_id)
            counts.rare[key] = counts.rare.get(key, 0) + aggregate.count
            latest[key] = aggregate

    def _severe_and_new(self, minute: int, latest: dict[tuple[str, str], Aggregate]) -> list[tuple[Finding, Series]]:
        totals: dict[tuple[str, str], int] = {}
        for one in self._recent(minute, _WINDOWS[-1]):
            for key, count in one.rare.items():
                totals[key] = totals.get(key, 0) + count
        most = max(totals.values(), default=0)
        if not most or (self.told and not (most >= _HEAVY and most >= _ESCALATES * self.told)):
            return []
        found = []
        for key, count in totals.items():
            if key in latest and (not self.told or count >= _HEAVY):
                score = _SEVERE_SCORE if key[0] == "severe" else _NEW_SCORE
                found.append(_found(key[0], latest[key], score, {"seen": count, "window_minutes": _WINDOWS[-1]}))
        if found:
            self.told = max(self.told, most)
        return found

    def _shares(self, minute: int, latest: dict[tuple[str, str], Aggregate]) -> list[tuple[Finding, Series]]:
        found = []
        for (kind, source), aggregate in latest.items():
            if kind != "errors":
                continue
            for window in _WINDOWS:
                figures = self._share(source, minute, window)
                if figures is not None:
                    self.told = max(self.told, 1)
                    found.append(_found("error_share", aggregate, _SHARE_SCORE, figures))
                    break
        return found

    def _share(self, source: str, minute: int, window: int) -> dict[str, Any] | None:
        """What is to be said of the share of errors of a source; `None` when nothing is."""
        logs, errors = self._totals(source, range(minute - window + 1, minute + 1))
        if errors < _MIN_ERRORS:
            return None
        share = errors / logs
        figures = {"errors": errors, "logs": logs, "share": round(share, 4), "window_minutes": window}
        before = range(minute - _HISTORY, minute - window + 1)
        logs_before, errors_before = self._totals(source, before)
        begun = [m for m in before if m in self._minutes and source in self._minutes[m].sources]
        if logs_before < _KNOWN_LOGS or not begun or minute - min(begun) < _KNOWN_MINUTES:
            return figures if errors >= _STATED_ERRORS and share >= STATED_SHARE else None
        usual = (errors_before + 1) / (logs_before + 2)
        if share < _MIN_SHARE or share < _LIFT * usual or logs * _divergence(share, usual) < _ALMOST_NEVER:
            return None
        return figures | {"usual_share": round(usual, 4)}

    def _totals(self, source: str, minutes: range) -> tuple[int, int]:
        found = [self._minutes[m].sources.get(source, (0, 0)) for m in minutes if m in self._minutes]
        return sum(logs for logs, _ in found), sum(errors for _, errors in found)

    def _recent(self, minute: int, window: int) -> list[_Minute]:
        return [self._minutes[m] for m in range(minute - window + 1, minute + 1) if m in self._minutes]


def _found(kind: str, aggregate: Aggregate, score: float, figures: dict[str, Any]) -> tuple[Finding, Series]:
    by_pattern = kind != "error_share"
    key = SeriesKey("pattern", aggregate.pattern_id) if by_pattern else SeriesKey("errors", aggregate.source)
    series = Series(key)
    series.source, series.level = aggregate.source, aggregate.level
    series.describe(aggregate)
    return Finding(key, kind, 2, score, True, None, figures), series


def _divergence(share: float, usual: float) -> float:
    """The Kullback-Leibler divergence of two shares: the exponent of how rare a larger share is by chance."""
    rest = (1 - share) * log((1 - share) / (1 - usual)) if share < 1 else 0.0
    return share * log(share / usual) + rest

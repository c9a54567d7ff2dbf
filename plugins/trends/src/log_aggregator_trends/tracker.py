"""The series in memory: admits new ones, scores each minute, evicts inactive ones."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase

from log_aggregator.model.record import ERROR_LEVELS
from log_aggregator.sinks import Aggregate, Alias, Flush
from log_aggregator_trends.config import TrendsConfig
from log_aggregator_trends.counts import Counts
from log_aggregator_trends.detector import seen_and_expected
from log_aggregator_trends.profile import brief
from log_aggregator_trends.series import Finding, Series, SeriesKey

_SERIES_PER_SLICE = 250
_NEW_SCORE = 0.4
_NEW_ERROR_SCORE = 0.5
_SHARE_LIFT = 1.5


class SeriesTracker:
    """The series in memory and their counts. Does no I/O: the caller loads and saves series with `StateFile`."""

    def __init__(self, config: TrendsConfig, minute: int) -> None:
        self._config = config
        self.counts = Counts(minute)
        self.series: dict[SeriesKey, Series] = {}
        self.first_minute = minute
        self.muted: frozenset[str] = frozenset()
        self.last_counts: dict[SeriesKey, int] = {}
        """The counts of the minute that ended last."""
        self._fresh: dict[SeriesKey, Aggregate] = {}

    def add(self, flush: Flush) -> None:
        """Count a flush and update the series' descriptions from its aggregates."""
        for alias in flush.aliases:
            self._rename(alias)
        self.counts.add(flush)
        for aggregate in flush.aggregates:
            keys = [SeriesKey("pattern", aggregate.pattern_id), SeriesKey("source", aggregate.source)]
            if aggregate.level in ERROR_LEVELS:
                keys.append(SeriesKey("errors", aggregate.source))
            shown: Aggregate | None = None
            for key in keys:
                series = self.series.get(key)
                if series is not None:
                    series.describe(aggregate)
                else:
                    self._fresh[key] = shown if shown is not None else (shown := brief(aggregate))

    def _rename(self, alias: Alias) -> None:
        """Continue the series of a generalised pattern under its new id, so that the old id raises no silence."""
        if alias.new_id == alias.old_id:
            return
        self.counts.rename(alias.old_id, alias.new_id)
        old = self.series.pop(SeriesKey("pattern", alias.old_id), None)
        new_key = SeriesKey("pattern", alias.new_id)
        if old is not None and new_key not in self.series:
            old.key, old.pattern = new_key, alias.pattern
            self.series[new_key] = old

    def knows(self, pattern_id: str) -> bool:
        """Whether a pattern was seen before."""
        key = SeriesKey("pattern", pattern_id)
        return key in self.series or key in self._fresh

    def mute(self, muted: frozenset[str], changed: frozenset[str]) -> None:
        """Let the patterns of these ids never alert; `changed` are those that were not muted before, or are no more."""
        self.muted = muted
        for name in changed:
            series = self.series.get(SeriesKey("pattern", name))
            if series is not None:
                series.quiet = self._is_quiet(series)

    def is_quiet(self, aggregate: Aggregate) -> bool:
        """Whether a group never alerts."""
        return self._is_silenced(aggregate.source, aggregate.pattern_id, aggregate.pattern)

    @property
    def unknown(self) -> list[SeriesKey]:
        """Series of the flushes since the last minute that are not in memory: on disk, or new."""
        return [key for key in self._fresh if key not in self.series]

    def restore(self, series: Series) -> None:
        """Continue a saved series."""
        series.quiet = self._is_quiet(series)
        self.series[series.key] = series

    async def end_minute(self, minute: int, woken: dict[SeriesKey, Series]) -> list[tuple[Finding, Series]]:
        """Score every series for `minute`; `woken` holds those of `unknown` that were found on disk.

        Returns the findings with their series, patterns first, then by descending score.
        """
        counts = self.last_counts = self.counts.close(minute)
        findings = self._admit(minute, woken)
        for done, (key, series) in enumerate(list(self.series.items())):
            if done % _SERIES_PER_SLICE == 0:
                await asyncio.sleep(0)
            finding = series.score_minute(minute, counts.get(key, 0))
            if finding is not None:
                findings.append((finding, series))
        findings = [(finding, series) for finding, series in findings if not self._explained(series, finding)]
        findings.sort(key=lambda pair: (pair[0].key.kind != "pattern", -pair[0].score))
        return findings

    def _admit(self, minute: int, woken: dict[SeriesKey, Series]) -> list[tuple[Finding, Series]]:
        fresh, self._fresh = self._fresh, {}
        learning = minute < self.first_minute + self._config.learning_hours * 60.0
        found: list[tuple[Finding, Series]] = []
        for key, aggregate in fresh.items():
            if key in self.series:
                continue
            series = woken.get(key) or Series(key)
            series.last = minute
            series.describe(aggregate)
            series.quiet = self._is_quiet(series)
            self.series[key] = series
            if key.kind == "pattern" and key not in woken and not learning and not series.quiet:
                error = aggregate.level in ERROR_LEVELS
                score = _NEW_ERROR_SCORE if error else _NEW_SCORE
                found.append((Finding(key, "new_pattern", 0, score, error, None), series))
        return found

    def _is_quiet(self, series: Series) -> bool:
        name = series.key.name if series.key.kind == "pattern" else ""
        return self._is_silenced(series.source, name, series.pattern if name else "")

    def _is_silenced(self, source: str, pattern_id: str, pattern: str) -> bool:
        config = self._config
        if any(fnmatchcase(source, glob) for glob in config.quiet_sources):
            return True
        if not pattern_id:
            return False
        return (
            pattern_id in self.muted
            or pattern_id in config.quiet_patterns
            or any(fnmatchcase(pattern, glob.replace("[", "[[]")) for glob in config.quiet_patterns)
        )

    def _explained(self, series: Series, finding: Finding) -> bool:
        """Whether more errors follow from more traffic; the series of the source alerts for that."""
        if series.key.kind != "errors" or finding.direction < 0 or finding.explanation is None:
            return series.key.kind == "errors"
        traffic = self.series.get(SeriesKey("source", series.source))
        if traffic is None:
            return False
        seen, expected = seen_and_expected(traffic.detector, finding.explanation.window)
        growth = max(1.0, seen / max(expected, 0.1))
        return finding.explanation.seen < _SHARE_LIFT * growth * max(finding.explanation.expected, 0.1)

    def evict(self, minute: int, protected: set[SeriesKey]) -> list[Series]:
        """Remove and return inactive series, and the least recent ones beyond `max_series`; `protected` ones stay."""
        limit = minute - self._config.sleep_hours * 60.0
        evicted = [series for key, series in self.series.items() if series.last < limit and key not in protected]
        surplus = len(self.series) - len(evicted) - self._config.max_series
        if surplus > 0:
            inactive = {series.key for series in evicted}
            rest = [s for s in self.series.values() if s.key not in inactive and s.key not in protected]
            evicted += sorted(rest, key=lambda series: series.last)[:surplus]
        for series in evicted:
            del self.series[series.key]
        return evicted

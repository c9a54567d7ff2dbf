"""All watched series: who is new, who is put away, and what each minute finds."""

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

_AT_ONCE = 250
_NEW_SCORE = 0.4
_NEW_ERROR_SCORE = 0.5
_SHARE_LIFT = 1.5


class Watch:
    """Knows the series in memory. Synchronous and without input or output: `Saved` reads and writes for it."""

    def __init__(self, config: TrendsConfig, minute: int) -> None:
        self._config = config
        self.counts = Counts(minute)
        self.series: dict[SeriesKey, Series] = {}
        self.first_minute = minute
        self._fresh: dict[SeriesKey, Aggregate] = {}

    def add(self, flush: Flush) -> None:
        """Take a flush: counts, and what its aggregates show of their series."""
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
        """A generalised pattern goes on as the new one: its old name has not fallen silent."""
        if alias.new_id == alias.old_id:
            return
        self.counts.rename(alias.old_id, alias.new_id)
        old = self.series.pop(SeriesKey("pattern", alias.old_id), None)
        new_key = SeriesKey("pattern", alias.new_id)
        if old is not None and new_key not in self.series:
            old.key, old.pattern = new_key, alias.pattern
            self.series[new_key] = old

    @property
    def unknown(self) -> list[SeriesKey]:
        """Series of the last flushes that are not in memory: asleep, or new."""
        return [key for key in self._fresh if key not in self.series]

    def adopt(self, series: Series) -> None:
        """Go on with a series that was saved."""
        series.quiet = self._is_quiet(series)
        self.series[series.key] = series

    async def minute(self, minute: int, woken: dict[SeriesKey, Series]) -> list[tuple[Finding, Series]]:
        """End a minute; `woken` are those of `unknown` that were put away before. Returns what alerts."""
        counts = self.counts.take(minute)
        findings = self._admit(minute, woken)
        for done, (key, series) in enumerate(list(self.series.items())):
            if done % _AT_ONCE == 0:
                await asyncio.sleep(0)
            finding = series.minute(minute, counts.get(key, 0))
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
        config = self._config
        if any(fnmatchcase(series.source, glob) for glob in config.quiet_sources):
            return True
        if series.key.kind != "pattern":
            return False
        return series.key.name in config.quiet_patterns or any(
            fnmatchcase(series.pattern, glob.replace("[", "[[]")) for glob in config.quiet_patterns
        )

    def _explained(self, series: Series, finding: Finding) -> bool:
        """More errors only because there is more of everything: the source's own series tells of that."""
        if series.key.kind != "errors" or finding.direction < 0 or finding.why is None:
            return series.key.kind == "errors"
        traffic = self.series.get(SeriesKey("source", series.source))
        if traffic is None:
            return False
        seen, expected = seen_and_expected(traffic.detector, finding.why.window)
        growth = max(1.0, seen / max(expected, 0.1))
        return finding.why.seen < _SHARE_LIFT * growth * max(finding.why.expected, 0.1)

    def to_put_away(self, minute: int, busy: set[SeriesKey]) -> list[Series]:
        """Take out and return the series that sleep, and the least recent of too many; `busy` ones stay."""
        limit = minute - self._config.sleep_hours * 60.0
        gone = [series for key, series in self.series.items() if series.last < limit and key not in busy]
        surplus = len(self.series) - len(gone) - self._config.max_series
        if surplus > 0:
            leaving = {series.key for series in gone}
            rest = [s for s in self.series.values() if s.key not in leaving and s.key not in busy]
            gone += sorted(rest, key=lambda series: series.last)[:surplus]
        for series in gone:
            del self.series[series.key]
        return gone

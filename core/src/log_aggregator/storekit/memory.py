"""The questions of a store answered from aggregates in memory: for small stores, and what others are compared with."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from log_aggregator.model.aggregate import Aggregate, Alias, Anomaly, Flush, Key, merge
from log_aggregator.model.summary import Summary, to_json
from log_aggregator.search import Term, parse_search
from log_aggregator.store import AnomalyQuery, PatternDetail, PatternPage, PatternQuery, PatternRow, Series, SeriesQuery
from log_aggregator.storekit.aliases import Resolved, resolve_aliases
from log_aggregator.storekit.cursor import read_cursor, write_cursor
from log_aggregator.storekit.details import merged_detail

_MICROS = 1_000_000
_MINUTE = 60


class MemoryAnswers:
    """Keeps what flushes hold and answers the questions of `Store`, `health` apart, by methods that do not wait.

    A store that keeps its data elsewhere gives it the flushes of before when it starts. Every question looks at all
    rows. Not for several threads at once.
    """

    by_source = True

    def __init__(self, max_samples: int) -> None:
        self._max_samples = max_samples
        self._rows: dict[Key, Aggregate] = {}
        self._aliases: list[Alias] = []
        self._resolved: dict[str, Resolved] = {}
        self._anomalies: dict[str, Anomaly] = {}

    def add(self, flush: Flush) -> None:
        """Take in what a flush holds. The caller sees to it that each flush comes once."""
        for row in flush.aggregates:
            known = self._rows.get(row.key)
            self._rows[row.key] = row if known is None else merge(known, row, self._max_samples)
        if flush.aliases:
            self._aliases += flush.aliases
            self._resolved = resolve_aliases(self._aliases)
        for anomaly in flush.anomalies:
            known_one = self._anomalies.get(anomaly.id)
            if known_one is None or known_one.revision < anomaly.revision:
                self._anomalies[anomaly.id] = anomaly

    def rows(self) -> list[Aggregate]:
        """All rows, merged by their keys."""
        return list(self._rows.values())

    def forget(self, before: int) -> None:
        """Forget the rows whose last log came before a time in microseconds."""
        self._rows = {key: row for key, row in self._rows.items() if row.last_seen >= before}

    def patterns(self, query: PatternQuery) -> PatternPage:
        """One page of patterns. Raises `CursorError` and `SearchError`."""
        terms = parse_search(query.q or "")
        rows = [row for row in self._rows.values() if self._is_asked(row, query) and _has(row, terms)]
        found = [
            self._pattern_row(final, of_one)
            for final, of_one in self._by_pattern(rows).items()
            if (query.ids is None or final in query.ids) and final not in query.not_ids
        ]
        found = [row for row in found if self._matches(row, terms, query)]

        def rank(row: PatternRow) -> tuple[int, str]:
            return (row.count if query.order == "count" else row.last_seen, row.pattern_id)

        found.sort(key=rank, reverse=True)
        if query.cursor is not None:
            after = read_cursor(query.cursor, query.order)
            found = [row for row in found if rank(row) < after]
        page = found[: query.limit]
        more = len(found) > query.limit
        return PatternPage(patterns=page, cursor=write_cursor(query.order, *rank(page[-1])) if more else None)

    def pattern(self, pattern_id: str, *, sources: tuple[str, ...] = ()) -> PatternDetail | None:
        """One pattern by its id or an earlier one."""
        final = self._final(pattern_id)
        rows = [row for row in self._rows.values() if self._final(row.pattern_id) == final]
        rows = [row for row in rows if is_of(row.source, sources)]
        if not rows:
            return None
        rows.sort(key=lambda row: row.last_seen, reverse=True)
        row, latest = self._pattern_row(final, rows), merged_detail(rows, [], final, self._max_samples)
        return PatternDetail(
            **row.model_dump(exclude={"samples"}),
            samples=list(latest.samples),
            metadata=to_json(latest.metadata),
            variables=to_json(latest.variables),
            sample_logs=latest.sample_logs,
            aliases=sorted(old for old, one in self._resolved.items() if one.final_id == final and old != final),
        )

    def series(self, query: SeriesQuery) -> list[Series]:
        """Counts over time, the largest series first."""
        final = None if query.pattern_id is None else self._final(query.pattern_id)
        width = query.step * _MICROS
        since = query.since // width * width
        lines: dict[str, Counter[int]] = {}
        for row in self._rows.values():
            if final is not None and self._final(row.pattern_id) != final:
                continue
            if query.level not in (None, row.level) or query.source not in (None, row.source):
                continue
            if not is_of(row.source, query.sources):
                continue
            name = {"level": row.level, "source": row.source}.get(query.split_by or "", "all")
            for at, count in _by_minute(row):
                start = at * _MICROS // width * query.step
                if since <= start * _MICROS < query.until:
                    lines.setdefault(name, Counter())[start] += count
        series = [Series(name=name, total=line.total(), points=sorted(line.items())) for name, line in lines.items()]
        return sorted(series, key=lambda one: (-one.total, one.name))

    def anomalies(self, query: AnomalyQuery) -> list[dict[str, Any]]:
        """Anomalies with the fields of `Anomaly`, newest first."""
        final = None if query.pattern_id is None else self._final(query.pattern_id)
        conditions: list[Callable[[Anomaly], bool]] = [
            lambda one: query.since is None or one.updated >= query.since,
            lambda one: query.until is None or one.started < query.until,
            lambda one: query.state in (None, one.state),
            lambda one: query.tier in (None, one.tier),
            lambda one: query.source in (None, one.source),
            lambda one: final is None or self._final(one.pattern_id) == final,
            lambda one: is_of(one.source, query.sources),
        ]
        found = [one for one in self._anomalies.values() if all(holds(one) for holds in conditions)]
        found.sort(key=lambda one: (one.started, one.id), reverse=True)
        return [msgspec.structs.asdict(one) for one in found[: query.limit]]

    def _final(self, pattern_id: str) -> str:
        known = self._resolved.get(pattern_id)
        return known.final_id if known is not None else pattern_id

    def _by_pattern(self, rows: Iterable[Aggregate]) -> dict[str, list[Aggregate]]:
        found: dict[str, list[Aggregate]] = {}
        for row in rows:
            found.setdefault(self._final(row.pattern_id), []).append(row)
        return found

    def _pattern_row(self, final: str, rows: Sequence[Aggregate]) -> PatternRow:
        texts = [one.final_pattern for one in self._resolved.values() if one.final_id == final and one.final_pattern]
        latest = max(rows, key=lambda row: (bool(row.samples.messages), row.last_seen))
        return PatternRow(
            pattern_id=final,
            pattern=next(iter(texts), None) or min(row.pattern for row in rows),
            count=sum(row.count for row in rows),
            first_seen=min(row.first_seen for row in rows),
            last_seen=max(row.last_seen for row in rows),
            levels=_totals((row.level, row.count) for row in rows),
            sources=_totals((row.source, row.count) for row in rows),
            category=next(iter(_totals((row.category, row.count) for row in rows if row.category)), ""),
            tags=_totals(tag for row in rows for tag in row.tags.items()),
            samples=list(latest.samples.messages),
        )

    def _is_asked(self, row: Aggregate, query: PatternQuery) -> bool:
        return (
            (query.since is None or row.last_seen >= query.since)
            and (query.until is None or row.first_seen < query.until)
            and query.level in (None, row.level)
            and query.source in (None, row.source)
            and query.category in (None, row.category)
            and is_of(row.source, query.sources)
        )

    def _matches(self, pattern: PatternRow, terms: Iterable[Term], query: PatternQuery) -> bool:
        """Whether a pattern fulfils the terms that are of whole patterns."""
        for term in terms:
            if term.field == "text":
                holds = _contains(pattern.pattern, term.values[0]) or any(
                    _contains(message, term.values[0])
                    for row in self._rows.values()
                    if self._final(row.pattern_id) == pattern.pattern_id and self._is_asked(row, query)
                    for message in row.samples.messages
                )
            elif term.field == "id":
                holds = pattern.pattern_id in {self._final(value) for value in term.values}
            elif term.field == "seen":
                since = time.time_ns() // 1000 - int(term.values[0][1:]) * _MICROS
                holds = (pattern.last_seen >= since) == (term.values[0][0] == "<")
            else:
                continue
            if holds == term.negated:
                return False
        return True


def is_of(source: str, allowed: tuple[str, ...]) -> bool:
    """Whether a source is among those that a query allows; `shop-*` allows all that begin so, nothing allows any."""
    return not allowed or any(_is_like(source, one) for one in allowed)


def _is_like(text: str, wanted: str) -> bool:
    return text.startswith(wanted[:-1]) if wanted.endswith("*") else text == wanted


def _has(row: Aggregate, terms: Iterable[Term]) -> bool:
    """Whether a row fulfils the terms that are of rows."""
    for term in terms:
        if term.field == "level":
            holds = row.level in term.values
        elif term.field in ("source", "category"):
            own = row.source if term.field == "source" else row.category
            holds = any(_is_like(own, value) for value in term.values)
        elif term.field in ("meta", "var"):
            summary = row.metadata if term.field == "meta" else row.variables
            holds = any(_has_value(summary, term.key, value) for value in term.values)
        else:
            continue
        if holds == term.negated:
            return False
    return True


def _has_value(summary: Summary, key: str, value: str) -> bool:
    shown = to_json({key: summary[key]})[key].get("values", []) if key in summary else []
    return any(str(one.get("value")) == value for one in shown)


def _contains(text: str, part: str) -> bool:
    return part.casefold() in text.casefold()


def _by_minute(row: Aggregate) -> Iterator[tuple[int, int]]:
    """When the logs of a row came, in epoch seconds; of those whose minute is not known, when its bucket begins."""
    unknown = row.count - sum(row.minutes)
    if unknown > 0:
        yield row.bucket, unknown
    for minute, count in enumerate(row.minutes):
        if count:
            yield row.bucket + minute * _MINUTE, count


def _totals(parts: Iterable[tuple[str, int]]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for name, count in parts:
        totals[name] += count
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

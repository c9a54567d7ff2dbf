"""Counts over time: from the rows by bucket, and by the minute where rows know their minutes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from log_aggregator.search import parse_search
from log_aggregator.store import Series, SeriesQuery
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.searching import add_pattern_terms, add_row_terms

USUAL_BUCKET = 300
"""Steps that are multiples of this many seconds are answered from the buckets alone."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_MICROS = 1_000_000
_HOUR_US = _HOUR * _MICROS
_LOGS = "CAST(sum(coalesce(t.count, 1)) AS bigint)"
_LABELS = {"level": "coalesce(t.level, '')", "source": "coalesce(t.source, '')"}


class SeriesOfRows:
    """Asks `aggregated_logs` for counts over time."""

    def __init__(self, dialect: Dialect, fetch: Callable[[str, list[Any]], Awaitable[Sequence[Sequence[Any]]]]) -> None:
        self._dialect = dialect
        self._fetch = fetch

    async def ask(self, query: SeriesQuery, family: list[str] | None) -> list[Series]:
        """The series, largest first. `family`: the ids of the pattern that is asked for."""
        by_minute = query.step < _HOUR and query.step % _MINUTE == 0 and query.step % USUAL_BUCKET != 0
        lines: dict[str, dict[int, int]] = {}
        rest = query
        if not query.q and query.step % _HOUR == 0 and query.until // _HOUR_US * _HOUR_US > query.since:
            rest = query.model_copy(update={"since": query.until // _HOUR_US * _HOUR_US})
            for name, start, count in await self._by_hour(query, family):
                lines.setdefault(name, {})[start] = count
        where = await self._where(rest, family, early=_DAY if by_minute else 0)
        for name, start, count in await self._by_bucket(rest, where):
            line = lines.setdefault(name, {})
            line[start] = line.get(start, 0) + count
        if by_minute:
            for name, counted_at, start, logs in await self._by_minute(rest, where):
                line = lines.setdefault(name, {})
                line[counted_at] = line.get(counted_at, 0) - logs
                line[start] = line.get(start, 0) + logs
        since, until = query.since // (query.step * _MICROS) * query.step, query.until / _MICROS
        series = [_series(name, line, since, until) for name, line in lines.items()]
        return sorted([one for one in series if one.points], key=lambda line: (-line.total, line.name))

    async def _by_hour(self, query: SeriesQuery, family: list[str] | None) -> Sequence[Sequence[Any]]:
        """The counts of all hours that end before `until`, from the summary."""
        where = Where(self._dialect, "t.count <> 0")
        if family is not None:
            where.one_of("t.pattern_id", family)
        table = self._dialect.source_hours() if family is None else self._dialect.hours()
        width = query.step * _MICROS
        where.since("t.hour", query.since // width * width)
        where.until("t.hour", query.until // _HOUR_US * _HOUR_US)
        where.equal("t.level", query.level)
        where.equal("t.source", query.source)
        where.sources("t.source", query.sources)
        step = f"{self._dialect.micros('t.hour')} / {width} * {query.step}"
        return await self._fetch(
            f"SELECT {_label(query)}, {step}, CAST(sum(t.count) AS bigint) FROM {table} t {where} "  # noqa: S608  only constants and parameter numbers
            "GROUP BY 1, 2 HAVING sum(t.count) > 0",
            where.values,
        )

    async def _by_bucket(self, query: SeriesQuery, where: Where) -> Sequence[Sequence[Any]]:
        width = query.step * _MICROS
        step = f"{self._dialect.micros('t.bucket')} / {width} * {query.step}"
        return await self._fetch(
            f"SELECT {_label(query)}, {step}, {_LOGS} FROM {_tables(query)} {where} GROUP BY 1, 2 ORDER BY 2",  # noqa: S608  only constants and parameter numbers
            where.values,
        )

    async def _by_minute(self, query: SeriesQuery, where: Where) -> Sequence[Sequence[Any]]:
        """Logs that came in another step than the one in which their bucket begins: from there, to there.

        Adds conditions to `where`.
        """
        where.add("t.minutes IS NOT NULL")
        bucket, width = self._dialect.micros("t.bucket"), query.step * _MICROS
        counted_at = f"{bucket} / {width} * {query.step}"
        start = f"({bucket} + minute.key * {_MINUTE * _MICROS}) / {width} * {query.step}"
        where.add(f"{start} <> {counted_at}")
        return await self._fetch(
            f"SELECT {_label(query)}, {counted_at}, {start}, CAST(sum(minute.value) AS bigint) "  # noqa: S608  only constants and parameter numbers
            f"FROM {_tables(query)} {self._dialect.each_minute()} {where} GROUP BY 1, 2, 3",
            where.values,
        )

    async def _where(self, query: SeriesQuery, family: list[str] | None, early: int) -> Where:
        """Rows of the time that is asked for. `early`: how long before it a bucket may begin, in seconds."""
        where = Where(self._dialect, "t.pattern_id IS NOT NULL")
        if family is not None:
            where.one_of("t.pattern_id", family)
        width = min(query.step * _MICROS, _HOUR_US) if query.step % _HOUR == 0 else query.step * _MICROS
        since = query.since // width * width
        where.since("t.last_seen", since)
        where.since("t.bucket", since - early * _MICROS)
        where.until("t.bucket", query.until)
        where.equal("t.level", query.level)
        where.equal("t.source", query.source)
        where.sources("t.source", query.sources)
        if query.q:
            terms = parse_search(query.q)
            add_row_terms(where, self._dialect, terms)
            await add_pattern_terms(where, self._dialect, terms, self._fetch, lambda: self._sampled(query, since))
        return where

    def _sampled(self, query: SeriesQuery, since: int) -> tuple[Where, bool]:
        """The rows whose samples are searched, which are those of a time."""
        where = Where(self._dialect, "t.pattern_id IS NOT NULL")
        where.since("t.last_seen", since)
        where.sources("t.source", query.sources)
        return where, True


def _tables(query: SeriesQuery) -> str:
    aliases = " LEFT JOIN pattern_aliases a ON a.old_id = t.pattern_id" if query.q else ""
    return f"aggregated_logs t{aliases}"


def _label(query: SeriesQuery) -> str:
    return _LABELS.get(query.split_by or "", "'all'")


def _series(name: str, line: dict[int, int], since: int, until: float) -> Series:
    points = sorted((start, count) for start, count in line.items() if count > 0 and since <= start < until)
    return Series(name=name, total=sum(count for _, count in points), points=points)

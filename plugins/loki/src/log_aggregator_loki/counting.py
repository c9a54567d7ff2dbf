"""Counts from the store, split by source, level and pattern as a query asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from log_aggregator.store import PatternQuery, PatternRow, Series, SeriesQuery, Store
from log_aggregator_loki.logql import LEVEL, PATTERN, SOURCE, Query, QueryError

MOST_PATTERNS = 100
"""Patterns that an answer tells apart, those with the most logs."""

MOST_QUESTIONS = 300
"""Questions to the store for one answer."""


class Span(NamedTuple):
    """What may be counted: `since` and `until` in microseconds, `step` in seconds, a multiple of the store's bucket.

    `sources` are those of the API key; empty: all.
    """

    since: int
    until: int
    step: int
    sources: tuple[str, ...] = ()


class Counted(NamedTuple):
    """Counts of the logs that have these labels: by the start of a step, in seconds."""

    labels: dict[str, str]
    points: list[tuple[int, int]]


async def count(store: Store, query: Query, span: Span) -> list[Counted]:
    """The counts that a query asks for. Raises `QueryError` when they are too many, `RetryableError`."""
    needed = {label for _, label in query.by} if query.by is not None else {SOURCE, LEVEL}
    needed |= {matcher.label for matcher in query.matchers}
    found: list[Counted] = []
    if needed == {SOURCE}:
        for series in await _series(store, span, {}, "source"):
            if query.takes(SOURCE, series.name):
                found.append(Counted({SOURCE: series.name}, series.points))  # noqa: PERF401  reads like the loop below
        return _grouped(query, found)
    asked = await _places(store, query, span, needed)
    if len(asked) > MOST_QUESTIONS:
        raise QueryError(f"{len(asked)} series: select fewer sources or patterns; expected at most {MOST_QUESTIONS}")
    for place, labels in asked:
        for series in await _series(store, span, place, "level" if LEVEL in needed else None):
            level = series.name.lower()
            if LEVEL not in needed:
                found.append(Counted(labels, series.points))
            elif query.takes(LEVEL, level):
                found.append(Counted({**labels, LEVEL: level}, series.points))
    return _grouped(query, found)


async def sources(store: Store, query: Query, span: Span) -> dict[str, int]:
    """Each source that a query selects, and how many logs it had."""
    found = await count(store, query._replace(by=((SOURCE, SOURCE),)), span)
    return {one.labels[SOURCE]: sum(count for _, count in one.points) for one in found}


async def patterns(store: Store, query: Query, span: Span) -> list[PatternRow]:
    """The patterns that a query selects, those with the most logs."""
    asked = PatternQuery(
        since=span.since,
        until=span.until,
        source=query.exactly(SOURCE),
        level=_upper(query.exactly(LEVEL)),
        order="count",
        sources=span.sources,
        limit=MOST_PATTERNS,
    )
    rows = (await store.patterns(asked)).patterns
    return [
        row
        for row in rows
        if query.takes(PATTERN, row.pattern)
        and any(query.takes(SOURCE, source) for source in row.sources)
        and any(query.takes(LEVEL, level) for level in row.levels)
    ]


async def _places(
    store: Store, query: Query, span: Span, needed: set[str]
) -> list[tuple[dict[str, str], dict[str, str]]]:
    """What to ask the store for, and the labels of the answers: for each pattern and source that is told apart."""
    places: list[tuple[dict[str, str], dict[str, str]]] = [({}, {})]
    if SOURCE in needed:
        one = query.exactly(SOURCE)
        named = [one] if one is not None else [series.name for series in await _series(store, span, {}, "source")]
        places = [({"source": name}, {SOURCE: name}) for name in named if query.takes(SOURCE, name)]
    if PATTERN in needed:
        rows = await patterns(store, query, span)
        places = [
            ({**place, "pattern_id": row.pattern_id}, {**labels, PATTERN: row.pattern})
            for row in rows
            for place, labels in places
            if place.get("source", "") in ("", *row.sources)
        ]
    return places


async def _series(store: Store, span: Span, place: Mapping[str, str], split_by: str | None) -> list[Series]:
    query = {"since": span.since, "until": span.until, "step": span.step, "split_by": split_by, **place}
    return await store.series(SeriesQuery.model_validate({**query, "sources": span.sources}))


def _grouped(query: Query, found: list[Counted]) -> list[Counted]:
    """Summed by the labels of the query, under the names that it gives them."""
    by = query.by if query.by is not None else ((SOURCE, SOURCE), (LEVEL, LEVEL))
    groups: dict[tuple[str, ...], dict[int, int]] = {}
    for one in found:
        points = groups.setdefault(tuple(one.labels.get(label, "") for _, label in by), {})
        for start, number in one.points:
            points[start] = points.get(start, 0) + number
    return [
        Counted({name: value for (name, _), value in zip(by, key, strict=True)}, sorted(points.items()))
        for key, points in groups.items()
    ]


def _upper(level: str | None) -> str | None:
    return level.upper() if level is not None else None

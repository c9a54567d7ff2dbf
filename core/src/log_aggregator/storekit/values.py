"""Logs and errors by the value of a metadata key or of a variable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import msgspec

from log_aggregator.model.aggregate import Aggregate
from log_aggregator.model.record import ERROR_LEVELS
from log_aggregator.model.summary import to_json
from log_aggregator.oncall import ValueCount, ValueCounts, ValuesQuery
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.shares import KeySummaries
from log_aggregator.storekit.thinning import DetailsOfOldRows

MOST_ROWS = 20_000
"""Rows that are looked at, the latest ones."""

_SLICE = 100
_TABLES = "FROM aggregated_logs t LEFT JOIN pattern_aliases a ON a.old_id = t.pattern_id"
_ID = "coalesce(a.final_id, t.pattern_id)"
_COLUMNS = {"meta": "t.metadata", "var": "t.variables"}

Fetch = Callable[[str, list[Any]], Awaitable[Sequence[Sequence[Any]]]]


async def count_values(
    dialect: Dialect, fetch: Fetch, where: Where, query: ValuesQuery, old: DetailsOfOldRows
) -> ValueCounts:
    """Count them in the rows that `where` finds. A row counts where the time that is asked for overlaps it.

    A search is not asked of the details of `old` rows: the counts are not complete where there are any.
    """
    column = _COLUMNS[query.kind]
    where.add(dialect.holds(column, where.value(msgspec.json.encode(query.key).decode())))
    rows = await fetch(
        f"SELECT coalesce(t.level, ''), {_ID}, {dialect.json(column)} {_TABLES} {where} "
        f"ORDER BY t.last_seen DESC LIMIT {MOST_ROWS + 1}",
        where.values,
    )
    details, is_all = await old.overlapping(query)
    found = ValueCounts(key=query.key, kind=query.kind, complete=len(rows) <= MOST_ROWS and is_all, values=[])
    if query.q:
        found.complete = found.complete and not details
        details = []
    counts: dict[str, _Counts] = {}
    texts = await asyncio.to_thread(_texts, details, query.kind)
    for done, (level, pattern_id, text) in enumerate([*rows[:MOST_ROWS], *texts]):
        if done % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
        entry = KeySummaries.read(text).get(query.key)
        if entry is None:
            continue
        error = level in ERROR_LEVELS
        found.logs += entry.count
        found.errors += entry.count * error
        found.complete = found.complete and entry.complete
        for value in entry.values:
            one = counts.setdefault(value.value, _Counts())
            one.logs += value.count
            one.errors += value.count * error
            one.patterns.add(pattern_id)
    ranked = sorted(counts.items(), key=lambda item: (-item[1].logs, item[0]))
    found.distinct = len(ranked)
    found.values = [
        ValueCount(
            value=value,
            logs=one.logs,
            errors=one.errors,
            error_share=round(one.errors / max(1, one.logs), 4),
            patterns=len(one.patterns),
        )
        for value, one in ranked[: query.limit]
    ]
    return found


class _Counts(msgspec.Struct):
    logs: int = 0
    errors: int = 0
    patterns: set[str] = set()


def _texts(details: Iterable[Aggregate], kind: str) -> list[tuple[str, str, bytes]]:
    """Rows of level, pattern id and the JSON of metadata or variables."""
    return [
        (one.level, one.pattern_id, msgspec.json.encode(to_json(one.metadata if kind == "meta" else one.variables)))
        for one in details
    ]

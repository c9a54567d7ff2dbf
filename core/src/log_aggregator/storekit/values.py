"""Logs and errors by the value of a metadata key or of a variable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from log_aggregator.model.record import ERROR_LEVELS
from log_aggregator.oncall import ValueCount, ValueCounts, ValuesQuery
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.shares import KeySummaries

MOST_ROWS = 20_000
"""Rows that are looked at, the latest ones."""

_SLICE = 100
_TABLES = "FROM aggregated_logs t LEFT JOIN pattern_aliases a ON a.old_id = t.pattern_id"
_ID = "coalesce(a.final_id, t.pattern_id)"
_COLUMNS = {"meta": "t.metadata", "var": "t.variables"}

Fetch = Callable[[str, list[Any]], Awaitable[Sequence[Sequence[Any]]]]


async def count_values(dialect: Dialect, fetch: Fetch, where: Where, query: ValuesQuery) -> ValueCounts:
    """Count them in the rows that `where` finds. A row counts where the time that is asked for overlaps it."""
    column = _COLUMNS[query.kind]
    where.add(dialect.holds(column, where.value(msgspec.json.encode(query.key).decode())))
    rows = await fetch(
        f"SELECT coalesce(t.level, ''), {_ID}, {dialect.json(column)} {_TABLES} {where} "
        f"ORDER BY t.last_seen DESC LIMIT {MOST_ROWS + 1}",
        where.values,
    )
    found = ValueCounts(key=query.key, kind=query.kind, complete=len(rows) <= MOST_ROWS, values=[])
    counts: dict[str, _Counts] = {}
    for done, (level, pattern_id, text) in enumerate(rows[:MOST_ROWS]):
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
            one.patterns[pattern_id] = one.patterns.get(pattern_id, 0) + value.count
    # With equal shares of errors, what came more often says more.
    ranked = sorted(counts.items(), key=lambda item: (-item[1].logs, item[0]))
    found.distinct = len(ranked)
    found.values = [
        ValueCount(
            value=value,
            logs=one.logs,
            errors=one.errors,
            error_share=round(one.errors / one.logs, 4) if one.logs else 0.0,  # another program may have written 0
            patterns=len(one.patterns),
        )
        for value, one in ranked[: query.limit]
    ]
    return found


class _Counts(msgspec.Struct):
    logs: int = 0
    errors: int = 0
    patterns: dict[str, int] = {}

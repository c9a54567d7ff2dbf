"""A parsed search as SQL conditions: those on rows, and those on whole patterns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from log_aggregator.search import Term
from log_aggregator.storekit.dialect import Dialect, Where

_PATTERN = "coalesce(a.final_pattern, t.message_pattern)"
_ID = "coalesce(a.final_id, t.pattern_id)"
_TABLES = "FROM aggregated_logs t LEFT JOIN pattern_aliases a ON a.old_id = t.pattern_id"
MOST_SAMPLED = 10_000
"""A text is looked for in the samples of so many of the latest rows, where no time is given."""

_COLUMNS = {"level": "{}.level", "source": "{}.source", "category": "coalesce({}.category, '')"}
_OBJECTS = {"meta": "{}.metadata", "var": "{}.variables"}

Fetch = Callable[[str, list[Any]], Awaitable[Sequence[Sequence[Any]]]]


def add_row_terms(where: Where, dialect: Dialect, terms: Iterable[Term], table: str = "t") -> None:
    """Take the conditions on rows of a table: level, source, category, values of metadata and variables."""
    for term in terms:
        if term.field in _COLUMNS:
            column = _COLUMNS[term.field].format(table)
            ways = [_equals(where, column, value, wild=term.field != "level") for value in term.values]
        elif term.field in _OBJECTS:
            key = where.value(term.key)
            column = _OBJECTS[term.field].format(table)
            ways = [dialect.has_value(column, key, where.value(value)) for value in term.values]
        else:
            continue
        condition = f"({' OR '.join(ways)})"
        where.add(f"NOT coalesce({condition}, false)" if term.negated else condition)


class Columns(NamedTuple):
    """How the newest id and text of a pattern are written, and its stored id."""

    id: str = _ID
    pattern: str = _PATTERN
    stored_id: str = "t.pattern_id"


COLUMNS_OF_ROWS = Columns()


async def add_pattern_terms(
    where: Where,
    dialect: Dialect,
    terms: Iterable[Term],
    fetch: Fetch,
    within: Callable[[], tuple[Where, bool]],
    columns: Columns = COLUMNS_OF_ROWS,
) -> None:
    """Take the conditions on patterns: texts that stand in the pattern or in a sample, and ids.

    `within` gives conditions on the rows whose samples are looked at, and whether these are of a time that was asked
    for; they are read once for each text.
    """
    for term in terms:
        if term.field == "text":
            text = term.values[0]
            sampled = await _with_sample(text, dialect, fetch, *within())
            ways = [dialect.contains(columns.pattern, where.value(text))]
            if sampled:
                ways.append(dialect.among(columns.id, where.value(dialect.list_value(sampled))))
            condition = f"({' OR '.join(ways)})"
        elif term.field == "id":
            # No index serves _ID: a family has few ids, and they are compared as they are stored.
            families = [one for value in term.values for one in await _family(value, fetch)]
            condition = dialect.among(columns.stored_id, where.value(dialect.list_value(families)))
        else:
            continue
        where.add(f"NOT {condition}" if term.negated else condition)


def seen_conditions(where: Where, terms: Iterable[Term], last_seen: str, now: int) -> list[str]:
    """What `HAVING` says of when patterns were last seen."""
    found = []
    for term in terms:
        if term.field == "seen":
            value = term.values[0]
            since = where.value(now - int(value[1:]) * 1_000_000)
            condition = f"{last_seen} {'>=' if value[0] == '<' else '<'} {since}"
            found.append(f"NOT ({condition})" if term.negated else condition)
    return found


def _equals(where: Where, column: str, value: str, *, wild: bool) -> str:
    if wild and value.endswith("*"):
        return f"substr({column}, 1, {len(value) - 1}) = {where.value(value[:-1])}"
    return f"{column if '(' in column else where.compared(column)} = {where.value(value)}"


async def _with_sample(text: str, dialect: Dialect, fetch: Fetch, where: Where, is_of_time: bool) -> list[str]:
    """The ids of patterns with a sample that holds the text; samples are JSON, so the text is written as there."""
    tables = _TABLES
    if not is_of_time:
        tables = _TABLES.replace(
            "aggregated_logs t",
            "(SELECT pattern_id, source, message_pattern, sample_messages FROM aggregated_logs "  # noqa: S608  only constants
            f"WHERE sample_messages IS NOT NULL ORDER BY last_seen DESC LIMIT {MOST_SAMPLED}) AS t",
        )
    # Patterns that hold the text themselves are found without their samples, which are long.
    where.add(f"NOT {dialect.contains(_PATTERN, where.value(text))}")
    written = msgspec.json.encode(text).decode()[1:-1]
    where.add(dialect.holds("t.sample_messages", where.value(written)))
    rows = await fetch(f"SELECT DISTINCT {_ID} {tables} {where}", where.values)
    return [row[0] for row in rows]


async def _family(pattern_id: str, fetch: Fetch) -> list[str]:
    rows = await fetch(
        "SELECT old_id FROM pattern_aliases WHERE final_id IN "
        "(SELECT final_id FROM pattern_aliases WHERE old_id = $1 UNION SELECT $1)",
        [pattern_id],
    )
    newest = await fetch("SELECT final_id FROM pattern_aliases WHERE old_id = $1", [pattern_id])
    return sorted({pattern_id, *(row[0] for row in rows), *(row[0] for row in newest)})

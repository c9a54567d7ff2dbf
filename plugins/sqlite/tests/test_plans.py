"""No question that has a pattern or a time range scans a whole table, nor all rows of a level or a source.

The sink never runs ANALYZE, so nor does this test: SQLite chooses without statistics.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from log_aggregator_sqlite import SqliteConfig, SqliteSink
from tests.support.questions import Asked, Observed, check_answers, each_question, fill, observe, tables_of
from tests.support.sinks import hosted


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    return asyncio.run(_observed(tmp_path_factory.mktemp("plans")))


async def _observed(directory: Path) -> Observed:
    sink = SqliteSink(SqliteConfig.model_validate({"rollup_days": 0}))
    async with hosted(sink, directory) as host:
        await fill(sink)
        fetch = host.store._fetch

        async def explain(sql: str, values: list[Any]) -> list[str]:
            return [row[3] for row in await fetch(f"EXPLAIN QUERY PLAN {sql}", values)]

        return await observe(host.store, explain)


def scans(asked: Asked) -> list[str]:
    """The queries that read all of a table, an index, a level or a source, each with the line of its plan."""
    found = []
    for sql, plan in asked.plans:
        names = "|".join(tables_of(sql) | {"t"})
        found += [
            f"{sql}\n{line}"
            for line in plan
            if re.match(rf"SCAN ({names})\b|SEARCH ({names}) .*\((level|source)=", line)
        ]
    return found


@each_question
def test_an_index_serves(observed: Observed, question: str) -> None:
    assert observed.now[question].plans
    assert not scans(observed.now[question])


def test_the_summary_says_what_the_rows_say(observed: Observed) -> None:
    check_answers(observed)

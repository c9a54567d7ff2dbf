"""No question that has a pattern or a time range scans a whole table."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_postgres.hours import add_up_hours
from tests.support.postgres import ForeignServer, PostgresServer, create_database
from tests.support.questions import Asked, Observed, check_answers, each_question, fill, observe, tables_of
from tests.support.sinks import hosted

OLD_DETAILS = """
INSERT INTO pattern_details (pattern_id, begins, seconds, group_key, level, source, packed)
SELECT 'none ' || n % 400, n / 400, 3600, '', '', '', '' FROM generate_series(1, 20000) AS n"""
"""Details of other patterns: with them, an index pays."""


@pytest.fixture(scope="module")
def observed(postgres_server: PostgresServer | ForeignServer, tmp_path_factory: pytest.TempPathFactory) -> Observed:
    return asyncio.run(_observed(create_database(postgres_server), tmp_path_factory.mktemp("plans")))


async def _observed(dsn: str, directory: Path) -> Observed:
    config = {"dsn": dsn, "maintenance_seconds": 3600, "rollup_days": 0}
    sink = PostgresSink(PostgresConfig.model_validate(config))
    database = await asyncpg.connect(dsn)

    async def explain(sql: str, values: list[Any]) -> Any:
        return json.loads(await database.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values))[0]["Plan"]

    try:
        async with hosted(sink, directory) as host:
            await fill(sink)
            await add_up_hours(database)
            await database.execute(OLD_DETAILS)
            await database.execute("VACUUM ANALYZE")
            return await observe(host.store, explain)
    finally:
        await database.close()


def scans(asked: Asked) -> list[str]:
    """The queries that read all of a table or of an index, each with the part of its plan."""
    return [
        f"{sql}\n{node}"
        for sql, plan in asked.plans
        for node in nodes(plan)
        if node.get("Relation Name") in tables_of(sql) and reads_all(node)
    ]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def reads_all(node: dict[str, Any]) -> bool:
    """A bitmap always has a condition; that a pattern has an id holds for all rows."""
    if node["Node Type"] == "Bitmap Heap Scan":
        return bool(node["Recheck Cond"] == "(pattern_id IS NOT NULL)")
    return node.get("Index Cond", "(pattern_id IS NOT NULL)") == "(pattern_id IS NOT NULL)"


@each_question
def test_an_index_serves(observed: Observed, question: str) -> None:
    assert observed.now[question].plans
    assert not scans(observed.now[question])


def test_the_summary_says_what_the_rows_say(observed: Observed) -> None:
    check_answers(observed)

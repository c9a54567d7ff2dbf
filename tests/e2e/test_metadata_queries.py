"""The SQL of `docs/reference/metadata.md` is run on both databases and gives the same, right answers."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from log_aggregator.model.summary import summarize, to_json
from tests.support.postgres import postgres_dsn, postgres_server

__all__ = ["postgres_dsn", "postgres_server"]

PAGE = (Path(__file__).parents[2] / "docs/reference/metadata.md").read_text("utf-8")

TABLE = "CREATE TABLE aggregated_logs (message_pattern TEXT, level TEXT, source TEXT, metadata {json})"
ROWS: list[tuple[str, str, str, list[dict[str, Any]]]] = [
    ("query", "INFO", "shop", [{"status": 200, "query_time": "50ms"}] * 30),
    ("query", "INFO", "shop", [{"status": 200, "query_time": "0.1s"}] * 10),
    ("slow query", "WARN", "shop", [{"status": "503", "query_time": "2s"}] * 4),
    ("other", "INFO", "else", [{"status": 200}]),
]
EXPECTED: list[list[tuple[Any, ...]]] = [
    [("200", 40), ("503", 4)],
    [("slow query", 2.0), ("query", 0.1)],
    [((30 * 0.05 + 10 * 0.1 + 4 * 2) / 44,)],
    [("status", 45), ("query_time", 44)],
    [("slow query", "WARN")],
]


def queries(dialect: str) -> list[str]:
    found = re.findall(rf"```sql {dialect}\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == len(EXPECTED)
    return [str(sql) for sql in found]


def check(answers: list[list[tuple[Any, ...]]]) -> None:
    for answer, expected in zip(answers, EXPECTED, strict=True):
        plain = [tuple(value if isinstance(value, str) else float(value) for value in row) for row in answer]
        assert plain == [
            tuple(v if isinstance(v, str) else pytest.approx(v, rel=0.03) for v in row) for row in expected
        ]


def test_on_sqlite() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute(TABLE.format(json="TEXT"))
    for pattern, level, source, logs in ROWS:
        row = (pattern, level, source, json.dumps(to_json(summarize(logs))))
        connection.execute("INSERT INTO aggregated_logs VALUES (?, ?, ?, ?)", row)
    check([connection.execute(sql).fetchall() for sql in queries("sqlite")])
    connection.close()


async def test_on_postgresql(postgres_dsn: str) -> None:
    connection = await asyncpg.connect(postgres_dsn)
    try:
        await connection.execute(TABLE.format(json="JSONB"))
        for pattern, level, source, logs in ROWS:
            row = (pattern, level, source, json.dumps(to_json(summarize(logs))))
            await connection.execute("INSERT INTO aggregated_logs VALUES ($1, $2, $3, $4)", *row)
        check([[tuple(row) for row in await connection.fetch(sql)] for sql in queries("postgresql")])
    finally:
        await connection.close()


def test_the_shape_on_the_page_is_the_shape_that_is_stored() -> None:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found
    shown = json.loads(found[1])["query_time"]
    times = ["0.05s"] * 1000 + ["0.1s"] * 150 + ["2s"] * 50
    made = to_json(summarize([{"query_time": value} for value in times]))["query_time"]
    assert shown.pop("state").keys() == made.pop("state").keys()
    for figures in (shown["numbers"], made["numbers"]):
        figures |= {name: round(figures[name], 4) for name in ("p50", "p90", "p95", "p99")}
    assert shown == made

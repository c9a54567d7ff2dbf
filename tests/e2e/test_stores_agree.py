"""Memory, SQLite and PostgreSQL hold the same after the same logs, in whatever order and flushes they come."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from log_aggregator.model.aggregate import Key
from log_aggregator.model.samples import Sample, Samples, choose
from log_aggregator.model.summary import summarize, to_json
from log_aggregator.sinks import Aggregate, merge_all
from log_aggregator.storekit import stored_aggregate
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_sqlite import SqliteConfig, SqliteSink
from log_aggregator_sqlite.deflating import inflated
from tests.support.postgres import ForeignServer, PostgresServer, create_database, postgres_server
from tests.support.sinks import NOON, SECOND, Chain, deliver, hosted

__all__ = ["postgres_server"]

MAX_SAMPLES = 5
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
VALUES = st.one_of(
    TEXTS, st.integers(-(10**18), 10**18), st.floats(-1e12, 1e12), st.booleans(), st.none(),
    st.sampled_from(["5ms", "2.5 s", "10kB", "-3", "1e3", "80%"]), st.lists(st.integers(0, 9), max_size=2),
)  # fmt: skip
METADATA = st.sampled_from(["", '{"a":1}', '{"b":[1.0,"x"]}'])


@st.composite
def samples(draw: st.DrawFn, first: int, last: int) -> Samples:
    """Samples with their details, or as rows of other programs have them."""
    logs = draw(st.lists(st.builds(Sample, st.integers(first, last), TEXTS, METADATA), max_size=4))
    logs += [Sample(first, draw(TEXTS), draw(METADATA)), Sample(last, draw(TEXTS), draw(METADATA))]
    chosen = choose(min(logs), max(logs), logs, MAX_SAMPLES)
    return chosen if draw(st.booleans()) else Samples(chosen.messages, chosen.latest)


@st.composite
def one(draw: st.DrawFn) -> dict[str, Any]:
    """The fields of an aggregate of one to three logs, of few keys, so that many merge."""
    count = draw(st.integers(1, 3))
    first = (NOON + draw(st.integers(0, 250))) * SECOND + draw(st.integers(0, 999_999))
    metadata = draw(st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), min_size=count, max_size=count))
    last = first + draw(st.integers(0, 10**6))
    return {
        "bucket": NOON,
        "pattern": draw(st.sampled_from(["a {ID}", "b", "c" * 3000])),
        "level": draw(st.sampled_from(["INFO", "ERROR"])),
        "source": draw(st.sampled_from(["web", "ü" * 200])),
        "count": count,
        "first_seen": first,
        "last_seen": last,
        "group": draw(st.sampled_from(["", '{"host":"a"}'])),
        "metadata": metadata,
        "samples": draw(samples(first, last)),
        "minutes": (0,) * draw(st.integers(0, 4)) + (count,) if draw(st.booleans()) else (),
        "variables": draw(st.lists(st.dictionaries(st.sampled_from(["ID", "IP"]), TEXTS), max_size=3)),
        "categories": draw(st.dictionaries(st.sampled_from(["db", "auth", "web"]), st.integers(1, 5), max_size=2)),
        "tags": draw(st.dictionaries(TEXTS, st.integers(1, 5), max_size=3)),
    }


def made(flushes: list[list[dict[str, Any]]]) -> list[list[Aggregate]]:
    """Aggregates of their fields: folding metadata draws lots, so it has no place in a strategy."""
    return [
        [Aggregate(**{**row, **{name: summarize(row[name]) for name in ("metadata", "variables")}}) for row in rows]
        for rows in flushes
    ]


def comparable(rows: dict[Key, Aggregate]) -> dict[Key, Any]:
    """What must agree: everything, with the metadata in the form that readers see."""
    return {
        key: (
            row.count, row.first_seen, row.last_seen, row.samples, row.categories, row.category, row.tags,
            to_json(row.metadata), row.minutes, to_json(row.variables),
        )
        for key, row in rows.items()
    }  # fmt: skip


_SQLITE = """
SELECT bucket / 1000000, pattern_id, level, source, grouped_by, message_pattern, count, first_seen, last_seen, metadata,
       sample_messages, latest_sample, categories, tags, minutes, variables, sample_details, category
FROM aggregated_logs"""
_POSTGRES = """
SELECT extract(epoch FROM bucket)::bigint, pattern_id, level, source, grouped_by, message_pattern, count,
       (extract(epoch FROM first_seen) * 1000000)::bigint, (extract(epoch FROM last_seen) * 1000000)::bigint, metadata,
       sample_messages, latest_sample, categories, tags, minutes, variables, sample_details, category
FROM aggregated_logs"""


def read(rows: list[Any]) -> dict[Key, Aggregate]:
    found = {}
    for row in rows:
        key = Key(*row[:5])
        found[key] = stored_aggregate(key, *map(inflated, row[5:17]))
        assert found[key].category == (row[17] or ""), "the category column holds the winner"
    return found


async def in_sqlite(flushes: list[list[Aggregate]], directory: Path, **options: Any) -> dict[Key, Aggregate]:
    path = directory / "logs.sqlite3"
    path.unlink(missing_ok=True)
    sink, chain = SqliteSink(SqliteConfig(path=path, **options)), Chain()
    async with hosted(sink, directory):
        for rows in flushes:
            await deliver(sink, chain.flush(rows))
    connection = sqlite3.connect(path)
    try:
        return read(connection.execute(_SQLITE).fetchall())
    finally:
        connection.close()


async def in_postgres(flushes: list[list[Aggregate]], dsn: str, writers: int, **options: Any) -> dict[Key, Aggregate]:
    """Stored by several writers in turn, so that what one remembers is out of date."""
    connection = await asyncpg.connect(dsn)
    try:
        if await connection.fetchval("SELECT to_regclass('aggregated_logs')"):
            await connection.execute("TRUNCATE aggregated_logs, flush_progress")
        sinks = [
            PostgresSink(PostgresConfig.model_validate({"dsn": dsn, "rollup_days": 0, **options}))
            for _ in range(writers)
        ]
        chains = [Chain(f"writer {n}") for n in range(writers)]
        async with AsyncExitStack() as stack:
            for sink in sinks:
                await stack.enter_async_context(hosted(sink, Path()))
            for n, rows in enumerate(flushes):
                await deliver(sinks[n % writers], chains[n % writers].flush(rows))
        return read(await connection.fetch(_POSTGRES))
    finally:
        await connection.close()


FIELDS = st.lists(st.lists(one(), min_size=1, max_size=5), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(fields=FIELDS, forgetful=st.booleans())
def test_sqlite_holds_what_memory_holds(
    fields: list[list[dict[str, Any]]], forgetful: bool, tmp_path_factory: Any
) -> None:
    directory, flushes = tmp_path_factory.mktemp("sqlite"), made(fields)
    expected = merge_all((row for rows in flushes for row in rows), MAX_SAMPLES)
    stored = asyncio.run(in_sqlite(flushes, directory, remembered_bytes=0 if forgetful else 10**6))
    assert comparable(stored) == comparable(expected)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(fields=FIELDS, writers=st.sampled_from([1, 2]), forgetful=st.booleans())
def test_postgres_holds_what_memory_holds(
    fields: list[list[dict[str, Any]]], writers: int, forgetful: bool, database_address: str
) -> None:
    flushes = made(fields)
    expected = merge_all((row for rows in reversed(flushes) for row in rows), MAX_SAMPLES)
    stored = asyncio.run(in_postgres(flushes, database_address, writers, remembered_bytes=0 if forgetful else 10**6))
    assert comparable(stored) == comparable(expected)


@pytest.fixture(scope="module")
def database_address(postgres_server: PostgresServer | ForeignServer) -> str:
    return create_database(postgres_server)

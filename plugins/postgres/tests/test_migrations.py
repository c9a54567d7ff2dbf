"""The schema: made new, upgraded from the original's table, repaired, by several instances at once."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest

from log_aggregator.model.record import pattern_id
from log_aggregator.model.summary import to_json
from log_aggregator.store import SeriesQuery
from log_aggregator.storekit import group_key
from tests.support.sinks import NOON, SECOND, Chain, aggregate, all_patterns, deliver, hosted, total

MIGRATIONS = files("log_aggregator_postgres").joinpath("migrations")
NEWEST = max(int(entry.name[:4]) for entry in MIGRATIONS.iterdir() if entry.name.endswith(".sql"))
ORIGINAL = """
CREATE TABLE aggregated_logs (
    id SERIAL PRIMARY KEY,
    message_pattern TEXT NOT NULL,
    count INTEGER DEFAULT 1,
    level VARCHAR(10),
    source VARCHAR(100),
    first_seen TIMESTAMP DEFAULT NOW(),
    last_seen TIMESTAMP DEFAULT NOW(),
    metadata JSONB,
    sample_messages JSONB
);
CREATE INDEX idx_aggregated_logs_source ON aggregated_logs(source);
CREATE INDEX idx_aggregated_logs_level ON aggregated_logs(level);
CREATE INDEX idx_aggregated_logs_last_seen ON aggregated_logs(last_seen);
"""
ROWS = """
INSERT INTO aggregated_logs (message_pattern, count, level, source, first_seen, last_seen, metadata, sample_messages)
VALUES ('User {ID} logged in', 41, 'INFO', 'web', '2026-01-02 03:04:05.678901', '2026-01-02 03:09:00',
        '{"a": [1, null]}', '["User 1 logged in", "User 2 logged in"]'),
       ('User {ID} logged in', 1, 'INFO', 'web', '2026-01-02 03:04:06', '2026-01-02 03:04:07', NULL, NULL),
       ('no times', 2, NULL, NULL, NULL, NULL, '"odd"', '{"odd": true}'),
       ('no count', NULL, 'WARN', repeat('s', 100), DEFAULT, DEFAULT, NULL, '[]');
INSERT INTO aggregated_logs (message_pattern) SELECT 'pattern ' || n FROM generate_series(1, 1200) AS n;
"""


async def test_the_originals_table_is_upgraded_in_place(
    make_sink, postgres_dsn: str, database: asyncpg.Connection, tmp_path: Path
) -> None:
    await database.execute("SET TimeZone = 'UTC'")
    await database.execute(ORIGINAL + ROWS)
    columns = "id, message_pattern, level, source, metadata, sample_messages"
    before = await database.fetch(f"SELECT {columns} FROM aggregated_logs ORDER BY id")
    sink = make_sink()
    async with hosted(sink, tmp_path) as host:
        chain = Chain()
        await deliver(sink, chain.flush([aggregate("User {ID} logged in", 100)]))
        for _ in range(200):
            if not await database.fetchval("SELECT count(*) FROM aggregated_logs WHERE pattern_id IS NULL"):
                break
            await asyncio.sleep(0.05)
        after = await database.fetch(f"SELECT {columns} FROM aggregated_logs WHERE id <= 1204 ORDER BY id")
        assert [tuple(row) for row in after] == [tuple(row) for row in before]
        row = await database.fetchrow("SELECT count, first_seen, last_seen, bucket FROM aggregated_logs WHERE id = 1")
        assert row["count"] == 41
        assert row["first_seen"] == datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
        assert row["last_seen"] == datetime(2026, 1, 2, 3, 9, tzinfo=UTC)
        assert row["bucket"] == datetime(2026, 1, 2, 3, tzinfo=UTC)
        assert await database.fetchval("SELECT count FROM aggregated_logs WHERE message_pattern = 'no count'") == 1
        assert await total(host.store) == 41 + 1 + 2 + 1 + 1200 + 100
        one = [row for row in await all_patterns(host.store) if row.pattern == "User {ID} logged in"]
        assert [(row.pattern_id, row.count) for row in one] == [(pattern_id("User {ID} logged in"), 142)]
        detail = await host.store.pattern(one[0].pattern_id)
        assert detail is not None
        assert "User 1 logged in" in detail.samples
        types = dict(await database.fetch(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'aggregated_logs'"
        ))  # fmt: skip
        assert (types["id"], types["count"]) == ("bigint", "bigint")
        assert types["first_seen"] == types["last_seen"] == "timestamp with time zone"
        assert await database.fetchval("SELECT seqtypid::regtype::text FROM pg_sequence LIMIT 1") == "bigint"


async def test_the_originals_insert_still_works_and_is_counted(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    sink = make_sink(maintenance_seconds=0.05)
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, Chain().flush([aggregate("User {ID} logged in", 5)]))
        await database.execute(
            "INSERT INTO aggregated_logs (message_pattern, count, level, source, metadata, sample_messages) "
            "VALUES ('User {ID} logged in', 7, 'INFO', 'old-service', '{}', '[]')"
        )
        assert await database.fetchval("SELECT sum(count)::int FROM log_patterns") == 12
        for _ in range(200):
            if await total(host.store) == 12:
                break
            await asyncio.sleep(0.05)
        assert await total(host.store, source="old-service") == 7


async def test_four_instances_that_start_at_once_migrate_once(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    async def start(name: str) -> None:
        sink = make_sink()
        async with hosted(sink, tmp_path):
            await deliver(sink, Chain(name).flush([aggregate(count=1)]))

    await asyncio.gather(*[start(f"instance {n}") for n in range(4)])
    ran = await database.fetch("SELECT number, name FROM log_aggregator_migrations ORDER BY number")
    assert [row["number"] for row in ran] == list(range(1, NEWEST + 1))
    assert await database.fetchval("SELECT sum(count)::int FROM aggregated_logs") == 4


async def test_a_migration_that_fails_leaves_the_table_as_it_was(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    """Someone's view hangs on a column that must become wider: nothing is lost, `/health/db` says it."""
    await database.execute(ORIGINAL + ROWS + "CREATE VIEW mine AS SELECT level, count FROM aggregated_logs;")
    sink = make_sink()
    async with hosted(sink, tmp_path) as host:
        for _ in range(400):
            figures = (await host.store.health()).figures
            if figures["last_error"]:
                break
            await asyncio.sleep(0.02)
        assert "a view or rule of someone depends on the table" in figures["last_error"]
        assert await database.fetchval("SELECT count(*) FROM mine") == 1204
        await database.execute("DROP VIEW mine")
        await deliver(sink, Chain().flush([aggregate("User {ID} logged in", 1)]))


async def test_rows_that_were_restored_without_their_sequence(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    """New rows get ids that are taken: nothing is wrong with the rows, so none goes into quarantine."""
    sink, chain = make_sink(), Chain()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, chain.flush([aggregate(f"before {n}", 1) for n in range(50)]))
        await database.execute("SELECT setval(pg_get_serial_sequence('aggregated_logs', 'id'), 20)")
        await deliver(sink, chain.flush([aggregate(f"after {n}", 1) for n in range(50)]))
        assert await total(host.store) == 100
        assert await database.fetchval("SELECT count(*) FROM log_quarantine") == 0
        assert await database.fetchval("SELECT max(id) - count(*) FROM aggregated_logs") < 100


async def test_existing_queries_work(make_sink, database: asyncpg.Connection, tmp_path: Path) -> None:
    sink = make_sink()
    async with hosted(sink, tmp_path):
        await deliver(sink, Chain().flush([aggregate("User {ID} logged in", 2, at=60)]))
    row = await database.fetchrow(
        "SELECT id, message_pattern, count, level, source, first_seen, last_seen, metadata->'user' AS user, "
        "sample_messages->>0 AS sample FROM aggregated_logs "
        "WHERE source = 'web' AND level = 'INFO' AND last_seen > '2020-01-01'::timestamp ORDER BY count DESC"
    )
    assert (row["message_pattern"], row["count"]) == ("User {ID} logged in", 2)
    assert row["sample"] == "User {ID} logged in at 60"
    assert row["last_seen"] - row["first_seen"] == timedelta(0)


@pytest.mark.parametrize("number", range(1, NEWEST))
async def test_a_database_of_every_earlier_version_is_brought_up(
    make_sink, database: asyncpg.Connection, tmp_path: Path, number: int
) -> None:
    """Its rows are in all sums, and rows that come are added to them."""
    await migrate_to(database, number)
    theirs = aggregate("theirs", 5)
    await database.execute(
        "INSERT INTO aggregated_logs (pattern_id, bucket, group_key, bucket_seconds, message_pattern, level, source, "
        "count, first_seen, last_seen, revision) "
        "VALUES ($1, to_timestamp($2), $3, 300, 'theirs', 'INFO', 'web', 5, to_timestamp($2), to_timestamp($2), 17)",
        theirs.pattern_id, theirs.bucket, group_key(theirs.key),
    )  # fmt: skip
    sink = make_sink()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, Chain().flush([aggregate("ours", 3), aggregate("theirs", 2, source="db")]))
        counts = {row.pattern: row.count for row in await all_patterns(host.store)}
        assert counts == {"theirs": 7, "ours": 3}
        (line,) = await host.store.series(SeriesQuery(since=NOON * SECOND, until=(NOON + 3600) * SECOND, step=3600))
        assert line.total == 10
        assert await total(host.store, level="INFO") == await total(host.store, since=0) == 10


async def migrate_to(database: asyncpg.Connection, number: int) -> None:
    """Make the tables of an earlier version."""
    await database.execute(
        "CREATE TABLE log_aggregator_migrations "
        "(number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())"
    )
    for entry in sorted(MIGRATIONS.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql") and int(entry.name[:4]) <= number:
            await database.execute(entry.read_text())
            await database.execute("INSERT INTO log_aggregator_migrations VALUES ($1, 'x')", int(entry.name[:4]))


async def test_a_database_of_the_version_before_goes_on(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    """Its rows know no minutes, variables or details: they stay, are merged with new ones, and are read."""
    await migrate_to(database, 3)
    fresh = aggregate("User {ID} logged in", 3, at=60)
    await database.execute(
        "INSERT INTO aggregated_logs (pattern_id, bucket, group_key, bucket_seconds, message_pattern, level, source, "
        "count, first_seen, last_seen, metadata, sample_messages, latest_sample, categories, category, tags, revision) "
        "VALUES ($1, to_timestamp($2), $3, 300, $4, 'INFO', 'web', 4, to_timestamp($2), to_timestamp($2), $5, "
        """'["User 1 logged in"]', 0, '{"login": 4}', 'login', '{"auth": 4}', 17)""",
        fresh.pattern_id, fresh.bucket, group_key(fresh.key), fresh.pattern, json.dumps(to_json(fresh.metadata)),
    )  # fmt: skip
    sink = make_sink()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, Chain().flush([fresh]))
        row = await database.fetchrow("SELECT count, minutes, variables->'ID'->>'count' AS ids FROM aggregated_logs")
        assert tuple(row) == (7, "[0,3]", "3")
        detail = await host.store.pattern(fresh.pattern_id)
        assert detail is not None
        assert (detail.count, detail.metadata["user"]["count"]) == (7, 6)
        assert [(log.message, log.time, log.metadata) for log in detail.sample_logs] == [
            ("User {ID} logged in at 60", fresh.last_seen, {"user": "u60"}),
            ("User 1 logged in", fresh.bucket * SECOND, {}),
        ]

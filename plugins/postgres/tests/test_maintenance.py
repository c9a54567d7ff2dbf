"""Old rows: retention deletes them, roll-up makes one row an hour of them, and totals stay exact."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import asyncpg
import msgspec

from log_aggregator.model.samples import Detail, Samples
from log_aggregator.model.summary import to_json
from log_aggregator.sinks import Aggregate, merge_all
from log_aggregator.store import SeriesQuery
from log_aggregator_postgres.maintenance import OLDEST, STEP_ROWS, Maintenance, name_patterns
from log_aggregator_postgres.pool import Pool
from tests.support.sinks import SECOND, Chain, aggregate, all_patterns, deliver, hosted, total

HOUR = 3600
TEN_DAYS_AGO = int(time.time()) // HOUR * HOUR - 10 * 24 * HOUR


def old(pattern: str, at: int, count: int = 1, **more: object) -> Aggregate:
    """An aggregate of ten days ago, `at` seconds into an hour."""
    moment = TEN_DAYS_AGO + at
    samples = Samples((f"{pattern} at {at % 7}",), 0, (Detail(moment * SECOND, f'{{"user":"u{at % 7}"}}'),))
    row = aggregate(pattern, count, at=at % 7, samples=samples, **more)
    return msgspec.structs.replace(
        row, bucket=moment // 300 * 300, first_seen=moment * SECOND, last_seen=moment * SECOND + 5
    )


async def settle(sink, host, **options: object) -> None:
    """One look for old rows, now."""
    config = sink._config.model_copy(update={"rollup_days": 7, **options})
    pool = Pool(config)
    await Maintenance(pool, config, host.settings.max_samples).once()
    await pool.close()


def without_draws(summary: object) -> object:
    """A summary as JSON without its random draws: those of old rows are made when they are read."""
    if isinstance(summary, dict):
        return {key: without_draws(value) for key, value in summary.items() if key != "draws"}
    return summary


def plain(row: object) -> object:
    """A pattern as JSON, without the samples and draws."""
    return without_draws(row.model_dump(exclude={"samples", "sample_logs"}))


async def counted(host) -> dict[str, object]:
    """All patterns by id; tags apart, which a list counts in the latest rows, and roll-up makes these more logs."""
    return {row.pattern_id: plain(row.model_copy(update={"tags": {}})) for row in await all_patterns(host.store)}


async def test_roll_up_keeps_every_total(make_sink, database: asyncpg.Connection, tmp_path: Path) -> None:
    rows = [
        old(f"pattern {p}", at, 1 + p, level=level)
        for p in range(3)
        for at in range(0, 3 * HOUR, 300)
        for level in ("INFO", "ERROR")
    ]
    sink = make_sink()
    async with hosted(sink, tmp_path) as host:
        chain = Chain()
        for start in range(0, len(rows), 20):
            await deliver(sink, chain.flush(rows[start : start + 20]))
        before = await counted(host)
        series = SeriesQuery(since=TEN_DAYS_AGO * SECOND, until=int(time.time()) * SECOND, step=HOUR, split_by="level")
        lines = await host.store.series(series)
        details = [await host.store.pattern(pattern_id) for pattern_id in before]
        await settle(sink, host)
        assert await database.fetchval("SELECT count(*) FROM aggregated_logs") == 3 * 3 * 2
        assert await database.fetchval("SELECT bool_and(bucket_seconds = 3600) FROM aggregated_logs")
        assert await counted(host) == before
        assert await host.store.series(series) == lines
        rolled_up = [await host.store.pattern(pattern_id) for pattern_id in before]
        for one, detail in zip(rolled_up, details, strict=True):
            assert one is not None
            assert detail is not None
            assert plain(one) == plain(detail)
            assert one.samples == detail.samples
            assert {log.message for log in one.sample_logs} <= {log.message for log in detail.sample_logs}


async def test_late_logs_join_an_hour_that_is_rolled_up(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    first, late = [old("p", at, 2) for at in (0, 300, 900)], [old("p", at, 3) for at in (0, 600)]
    sink = make_sink()
    async with hosted(sink, tmp_path) as host:
        chain = Chain()
        await deliver(sink, chain.flush(first))
        await settle(sink, host)
        await deliver(sink, chain.flush(late))
        await settle(sink, host)
        assert await database.fetchval("SELECT count(*) FROM aggregated_logs") == 1
        assert await total(host.store) == 12
        hour = [msgspec.structs.replace(row, bucket=TEN_DAYS_AGO) for row in (*first, *late)]
        (expected,) = merge_all(hour, host.settings.max_samples).values()
        detail = await host.store.pattern(expected.pattern_id)
        assert detail is not None
        assert without_draws(detail.metadata) == without_draws(to_json(expected.metadata))
        assert set(detail.samples) == set(expected.samples.messages)


async def test_roll_up_and_writers_do_not_disturb_each_other(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    sink = make_sink()
    async with hosted(sink, tmp_path) as host:
        chain = Chain()
        await deliver(sink, chain.flush())

        async def write() -> None:
            for n in range(40):
                await deliver(sink, chain.flush([old(f"p{n % 3}", at, 1) for at in range(0, 2 * HOUR, 300)]))

        async def tidy() -> None:
            for _ in range(25):
                await settle(sink, host)

        await asyncio.gather(write(), tidy())
        await settle(sink, host)
        assert await total(host.store) == chain.sent
        assert await database.fetchval("SELECT count(*) FROM aggregated_logs") == 3 * 2
        for row in await all_patterns(host.store):
            detail = await host.store.pattern(row.pattern_id)
            assert detail is not None
            assert detail.metadata["user"]["count"] == row.count


async def test_the_next_row_to_roll_up_is_found_by_an_index(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    """Else each step walks past all rows that were rolled up before."""
    sink = make_sink()
    async with hosted(sink, tmp_path):
        await deliver(sink, Chain().flush([old(f"p{n}", 0) for n in range(2000)]))
        await database.execute("UPDATE aggregated_logs SET bucket_seconds = 3600 WHERE id % 1000 <> 0")
        await database.execute("ANALYZE aggregated_logs")
        plan = await database.fetch(f"EXPLAIN {OLDEST}", int(time.time()))
    assert "aggregated_logs_narrow" in str(plan)


async def test_rows_of_other_programs_get_their_ids_in_small_steps(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    """Of one pattern there may be millions: one statement for all of them would never end in time."""
    sink = make_sink()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, Chain().flush())
        await database.execute("INSERT INTO aggregated_logs (message_pattern) SELECT 'p' FROM generate_series(1, 1700)")
        async with database.transaction():
            assert await name_patterns(database) <= STEP_ROWS
            unnamed = "SELECT count(*) FROM aggregated_logs WHERE pattern_id IS NULL"
            assert await database.fetchval(unnamed) >= 1700 - STEP_ROWS
        await settle(sink, host)
        assert await total(host.store) == 1700


async def test_retention_deletes_only_what_is_older(make_sink, tmp_path: Path) -> None:
    now = int(time.time())
    fresh = msgspec.structs.replace(
        aggregate("fresh", 7), bucket=now // 300 * 300, first_seen=now * SECOND, last_seen=now * SECOND
    )
    sink = make_sink()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, Chain().flush([*[old(f"pattern {n}", 0) for n in range(1200)], fresh]))
        await settle(sink, host, rollup_days=0)
        assert await total(host.store) == 1207, "retention is off by default"
        await settle(sink, host, retention_days=11, rollup_days=0)
        assert await total(host.store) == 1207
        await settle(sink, host, retention_days=9, rollup_days=0)
        assert await total(host.store) == 7


async def test_two_instances_do_not_tidy_at_once(make_sink, database: asyncpg.Connection, tmp_path: Path) -> None:
    sink = make_sink()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, Chain().flush([old("p", at) for at in range(0, HOUR, 300)]))
        await database.execute("SELECT pg_advisory_lock($1)", 0x6C6F6761_6D61696E)
        await settle(sink, host)
        assert await database.fetchval("SELECT count(*) FROM aggregated_logs") == 12
        await database.execute("SELECT pg_advisory_unlock($1)", 0x6C6F6761_6D61696E)
        await settle(sink, host)
        assert await database.fetchval("SELECT count(*) FROM aggregated_logs") == 1

"""Details of old rows move into `pattern_details`, in both stores: nothing that is shown of a pattern changes."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec
import pytest

from log_aggregator import pattern_id
from log_aggregator.model.aggregate import merge_all
from log_aggregator.model.samples import Detail, Samples
from log_aggregator.model.summary import summarize, to_json
from log_aggregator.oncall import CompareQuery, ValuesQuery
from log_aggregator.sinks import Aggregate
from log_aggregator.store import PatternDetail, PatternQuery, Store
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_postgres.maintenance import Maintenance
from log_aggregator_postgres.pool import Pool
from log_aggregator_sqlite import SqliteSink
from log_aggregator_sqlite.deflating import inflated
from tests.support.postgres import postgres_dsn, postgres_server
from tests.support.sinks import SECOND, Chain, aggregate, deliver, hosted

__all__ = ["postgres_dsn", "postgres_server"]

HOUR, DAY = 3600, 86_400
START = int(time.time()) // DAY * DAY - 4 * DAY
PATTERN = "User {ID} logged in"
COLUMNS = "metadata, variables, sample_details"


class Stored(NamedTuple):
    """A sink, its store, how a person runs a query, and how old rows are looked after."""

    sink: Any
    store: Store
    ask: Callable[[str], Awaitable[list[Any]]]
    settle: Callable[..., Awaitable[None]]


@pytest.fixture
async def in_sqlite(tmp_path: Path) -> AsyncIterator[Stored]:
    sink = SqliteSink(SqliteSink.Config(rollup_days=0, maintenance_seconds=3600))

    async def ask(sql: str) -> list[Any]:
        connection = sqlite3.connect(tmp_path / "logs.sqlite3", isolation_level=None)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    async def settle(**options: int) -> None:
        sink._config = sink._config.model_copy(update=options)
        assert sink._database is not None
        assert sink._writer is not None
        await sink.maintain_once(sink._database, sink._writer, 5)

    async with hosted(sink, tmp_path) as host:
        yield Stored(sink, host.store, ask, settle)


@pytest.fixture
async def in_postgres(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Stored]:
    config = PostgresConfig.model_validate({"dsn": postgres_dsn, "rollup_days": 0, "maintenance_seconds": 3600})
    sink, connection = PostgresSink(config), await asyncpg.connect(postgres_dsn)

    async def ask(sql: str) -> list[Any]:
        return [tuple(row) for row in await connection.fetch(sql)]

    async def settle(**options: int) -> None:
        settled = config.model_copy(update=options)
        pool = Pool(settled)
        await Maintenance(pool, settled, 5).once()
        await pool.close()

    async with hosted(sink, tmp_path) as host:
        yield Stored(sink, host.store, ask, settle)
    await connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def stored(request: pytest.FixtureRequest) -> Stored:
    return request.getfixturevalue(f"in_{request.param}")


def old(at: int, count: int = 1, user: str = "", **more: Any) -> Aggregate:
    """Logs of one moment, `at` seconds after `START`."""
    moment, user = START + at, user or f"u{at}"
    said = f'{{"user":"{user}"}}'
    row = aggregate(PATTERN, count, metadata=summarize([{"user": user}] * count), **more)
    return msgspec.structs.replace(
        row, bucket=moment // 300 * 300, first_seen=moment * SECOND, last_seen=moment * SECOND, minutes=(),
        samples=Samples((f"User {at} logged in to {row.source}",), 0, (Detail(moment * SECOND, said),)),
    )  # fmt: skip


async def detail(stored: Stored) -> PatternDetail:
    """The pattern without the draws of its values: those of old details are drawn again."""
    found = await stored.store.pattern(pattern_id(PATTERN))
    assert found is not None
    return found.model_copy(update={name: undrawn(getattr(found, name)) for name in ("metadata", "variables")})


def undrawn(summary: dict[str, Any]) -> dict[str, Any]:
    return {key: {name: value for name, value in entry.items() if name != "state"} for key, entry in summary.items()}


@pytest.mark.parametrize("logs_each", [1, 9], ids=["rare", "frequent"])
async def test_nothing_that_is_shown_changes(stored: Stored, logs_each: int) -> None:
    rows = [old(at, logs_each, source=source) for source in ("web", "db") for at in range(0, 5 * HOUR, 1200)]
    recent = msgspec.structs.replace(old(0), bucket=int(time.time()) // 300 * 300)
    await deliver(stored.sink, Chain().flush([*rows, recent]))
    before, page = await detail(stored), await stored.store.patterns(PatternQuery())
    await stored.settle()
    assert await stored.ask("SELECT DISTINCT seconds FROM pattern_details") == [(DAY if logs_each == 1 else HOUR,)]
    assert await stored.ask("SELECT count(*) FROM pattern_details") == [(2 if logs_each == 1 else 10,)]
    assert await stored.ask("SELECT count(*) FROM aggregated_logs WHERE metadata IS NOT NULL") == [(1,)]
    kept = "SELECT count(*) FROM aggregated_logs WHERE sample_messages IS NOT NULL"
    assert await stored.ask(kept) == [(3,)], "one row of each source, and the recent one"
    after = await detail(stored)
    assert after.model_copy(update={"sample_logs": before.sample_logs}) == before
    shown = {log.message: log for log in before.sample_logs}
    assert len(after.sample_logs) >= 5
    assert [log for log in after.sample_logs if shown.get(log.message, log) != log] == []
    assert (await stored.store.patterns(PatternQuery())).patterns[0].count == page.patterns[0].count
    assert (await detail_of(stored, "db")).metadata["user"]["count"] == 15 * logs_each


async def detail_of(stored: Stored, source: str) -> PatternDetail:
    found = await stored.store.pattern(pattern_id(PATTERN), sources=(source,))
    assert found is not None
    return found


async def test_late_logs_join_the_details_of_their_day(stored: Stored) -> None:
    chain = Chain()
    rows, late = [old(at) for at in range(0, HOUR, 300)], [old(at, 2, user="late") for at in (0, 600, 7200)]
    await deliver(stored.sink, chain.flush(rows))
    await stored.settle()
    await deliver(stored.sink, chain.flush(late))
    both = await detail(stored)
    await stored.settle()
    assert await stored.ask(f"SELECT {COLUMNS} FROM aggregated_logs WHERE metadata IS NOT NULL") == []
    assert await stored.ask("SELECT count(*) FROM pattern_details") == [(1,)]
    (expected,) = merge_all([msgspec.structs.replace(row, bucket=0) for row in (*rows, *late)], 5).values()
    for found in (both, await detail(stored)):
        assert found.count == found.metadata["user"]["count"] == 18
        assert found.metadata == undrawn(to_json(expected.metadata))
        assert found.sample_logs[0].message == "User 7200 logged in to web"


async def test_the_hours_stay_as_they_are_and_roll_up_goes_on(stored: Stored) -> None:
    await deliver(stored.sink, Chain().flush([old(at, 2) for at in range(0, 2 * HOUR, 300)]))
    before = (await detail(stored)).model_copy(update={"sample_logs": []})
    await stored.settle()
    await stored.settle(rollup_days=3)
    assert await stored.ask("SELECT count(*) FROM aggregated_logs") == [(2,)]
    assert await stored.ask("SELECT count FROM pattern_hours ORDER BY hour") == [(24,), (24,)]
    assert (await detail(stored)).model_copy(update={"sample_logs": []}) == before


async def test_values_are_compared_by_the_details_of_whole_hours(stored: Stored) -> None:
    rows = [old(at, 20, user="old" if at < 2 * HOUR else "new") for at in range(0, 4 * HOUR, 600)]
    await deliver(stored.sink, Chain().flush(rows))
    await stored.settle()
    split = (START + 2 * HOUR) * SECOND
    query = CompareQuery(
        before_since=START * SECOND, before_until=split, since=split, until=split + 2 * HOUR * SECOND
    )  # fmt: skip
    found = await stored.store.compare(query)  # type: ignore[attr-defined]  # both stores are `OnCallStore`
    assert [(change.key, change.value, change.share_before, change.share_after) for change in found.values] == [
        ("user", "new", 0, 1)
    ]


@pytest.mark.parametrize("logs_each", [1, 20], ids=["rare", "frequent"])
async def test_values_are_counted_as_before(stored: Stored, logs_each: int) -> None:
    rows = [old(at, logs_each, user="ann" if at < 2 * HOUR else "bob") for at in range(0, 4 * HOUR, 1200)]
    recent = msgspec.structs.replace(old(0, user="new"), bucket=int(time.time()) // 300 * 300)
    await deliver(stored.sink, Chain().flush([*rows, recent]))
    count = stored.store.values  # type: ignore[attr-defined]  # both stores are `ValuesStore`
    before = await count(ValuesQuery(key="user"))
    await stored.settle()
    assert before == await count(ValuesQuery(key="user"))
    assert {one.value: one.logs for one in before.values} == {"ann": 6 * logs_each, "bob": 6 * logs_each, "new": 1}
    assert (before.complete, before.values[0].patterns) == (True, 1)
    for nothing in ({"until": START * SECOND}, {"since": (START + 2 * DAY) * SECOND}, {"sources": ("db",)}):
        found = await count(ValuesQuery.model_validate({"key": "user", "level": "INFO"} | nothing))
        assert (found.values, found.complete) == ([], True)
    searched = await count(ValuesQuery(key="user", q="logged"))
    assert ([one.value for one in searched.values], searched.complete) == (["new"], False)


async def test_rows_of_other_programs_keep_what_they_say(stored: Stored) -> None:
    await deliver(stored.sink, Chain().flush([old(0)]))
    key = "group_key = NULL" if isinstance(stored.sink, PostgresSink) else "group_key = x'00'"
    await stored.ask(f"UPDATE aggregated_logs SET {key}")
    await stored.settle()
    ((metadata,),) = await stored.ask("SELECT metadata FROM aggregated_logs")
    assert json.loads(inflated(metadata))["user"]["count"] == 1


async def test_retention_takes_the_details_too(stored: Stored) -> None:
    await deliver(stored.sink, Chain().flush([old(0)]))
    await stored.settle()
    if isinstance(stored.sink, SqliteSink):
        for table in ("aggregated_logs", "pattern_details"):
            await stored.ask(f"UPDATE {table} SET stored_at = {START * SECOND}")
    await stored.settle(retention_days=2)
    for table in ("aggregated_logs", "pattern_details"):
        assert await stored.ask(f"SELECT count(*) FROM {table}") == [(0,)]

"""What the embedded store does beyond the contract: refused rows, old rows, copies, and a person's commands."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import msgspec
import pytest

from log_aggregator import pattern_id
from log_aggregator.errors import RetryableError
from log_aggregator.model.summary import summarize
from log_aggregator.sinks import Alias, Anomaly, FencedError
from log_aggregator.store import AnomalyQuery, SeriesQuery
from log_aggregator_sqlite import SqliteSink
from log_aggregator_sqlite.commands import main as command
from log_aggregator_sqlite.maintenance import OLDEST
from tests.support.sinks import SECOND, Chain, aggregate, all_patterns, deliver, hosted, total

from .ageing import HOUR, TEN_DAYS_AGO, old, settle


def make(**options: object) -> SqliteSink:
    return SqliteSink(SqliteSink.Config.model_validate({"rollup_days": 0, **options}))


def execute(data_dir: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(data_dir / "logs.sqlite3", isolation_level=None)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


async def test_refused_rows_are_set_aside_listed_and_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    sink, chain = make(), Chain()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, chain.flush([aggregate("p 0", 1)]))
        execute(tmp_path, "CREATE TRIGGER picky BEFORE INSERT ON aggregated_logs WHEN new.message_pattern LIKE '%bad%' "
                "BEGIN SELECT raise(ABORT, 'no'); END")  # fmt: skip
        rows = [aggregate(f"{'bad' if n in (3, 30) else 'p'} {n}", 1) for n in range(40)]
        await deliver(sink, chain.flush(rows))
        assert await total(host.store) == 39
        health = await host.store.health()
        assert health.figures["quarantined_logs"] == 2
        assert "2 logs in quarantine" in health.detail
    assert command(["quarantine"]) == 0
    assert capsys.readouterr().out.count("1 logs") == 2
    assert command(["retry"]) == 1
    execute(tmp_path, "DROP TRIGGER picky")
    assert command(["retry"]) == 0
    async with hosted(make(), tmp_path) as host:
        assert await total(host.store) == 41


async def test_a_table_that_refuses_every_row_keeps_the_flush(tmp_path: Path) -> None:
    sink, chain = make(), Chain()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, chain.flush([aggregate("a", 1)]))
        execute(tmp_path, "CREATE TRIGGER no BEFORE INSERT ON aggregated_logs BEGIN SELECT raise(ABORT, 'no'); END")
        flush = chain.flush([aggregate("b", 1)])
        with pytest.raises(RetryableError, match="refuses every row"):
            await sink.on_flush(flush)
        execute(tmp_path, "DROP TRIGGER no")
        await deliver(sink, flush)
        assert await total(host.store) == 2


async def test_lone_surrogates_cost_no_log(tmp_path: Path) -> None:
    sink, chain = make(), Chain()
    async with hosted(sink, tmp_path) as host:
        for n in range(3):
            await deliver(sink, chain.flush([aggregate("a\ud800", 2, at=n), aggregate("a\ufffd", 1, at=n)]))
        (row,) = await all_patterns(host.store)
        assert (row.pattern, row.count) == ("a\ufffd", 9)
        detail = await host.store.pattern(row.pattern_id)
        assert detail is not None
        assert detail.metadata["user"]["count"] == 9


async def test_an_event_that_is_refused_is_left_out_and_the_others_are_stored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def anomaly(name: str, started: int) -> Anomaly:
        return Anomaly(name, "spike", "open", "notify", "p", "text", "INFO", "web", started, 2, 0.5, 1)

    aliases = [Alias(pattern_id("a"), "z", 2**70), Alias(pattern_id("b"), "c", 1)]
    sink, chain = make(), Chain()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, chain.flush([aggregate("b", 3)], aliases, [anomaly("bad", 2**70), anomaly("good", 1)]))
        assert [(row.pattern, row.count) for row in await all_patterns(host.store)] == [("c", 3)]
        assert [found["id"] for found in await host.store.anomalies(AnomalyQuery())] == ["good"]
    assert "refused an alias" in caplog.text
    assert "refused an anomaly" in caplog.text


async def test_roll_up_and_retention_keep_totals(tmp_path: Path) -> None:
    sink, chain = make(), Chain()
    async with hosted(sink, tmp_path) as host:
        rows = [old(f"p{n}", at, 1 + n) for n in range(3) for at in range(0, 2 * HOUR, 300)]
        for start in range(0, len(rows), 7):
            await deliver(sink, chain.flush(rows[start : start + 7]))
        series = SeriesQuery(since=TEN_DAYS_AGO * SECOND, until=int(time.time()) * SECOND, step=HOUR)
        before, lines = await total(host.store), await host.store.series(series)
        await settle(sink, host, rollup_days=7)
        assert execute(tmp_path, "SELECT count(*), min(bucket_seconds) FROM aggregated_logs") == [(6, 3600)]
        assert (await total(host.store), await host.store.series(series)) == (before, lines)
        await deliver(sink, chain.flush([old("p0", 600, 10)]))
        await settle(sink, host)
        (late,) = [row for row in await all_patterns(host.store) if row.pattern == "p0"]
        detail = await host.store.pattern(late.pattern_id)
        assert detail is not None
        assert detail.count == detail.metadata["user"]["count"] == 34
        await settle(sink, host, retention_days=1)
        assert await total(host.store) == before + 10, "old logs that were stored today stay"
        execute(tmp_path, "UPDATE aggregated_logs SET stored_at = last_seen")
        await settle(sink, host, retention_days=11)
        assert await total(host.store) == before + 10
        await settle(sink, host, retention_days=9)
        assert await total(host.store) == 0


async def test_a_new_file_keeps_rows_for_a_year_and_one_from_before_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for made_before in (False, True):
        sink, chain, directory = make(), Chain(f"{made_before}"), tmp_path / str(made_before)
        async with hosted(sink, directory) as host:
            await deliver(sink, chain.flush([aggregate("kept", 1), aggregate("old", 2)]))
            execute(directory, f"UPDATE aggregated_logs SET stored_at = {(int(time.time()) - 366 * 86_400) * SECOND} "
                    "WHERE message_pattern = 'old'")  # fmt: skip
            if made_before:
                execute(directory, "DELETE FROM store_facts")
            await settle(sink, host)
            assert await total(host.store) == (3 if made_before else 1)
            assert (await host.store.health()).figures["retention_days"] == (0 if made_before else 365)
    assert "365 days after they were stored" in caplog.text
    async with hosted(make(), tmp_path / "True") as host:
        assert await total(host.store) == 3
        async with asyncio.timeout(10):
            while "no row is ever deleted" not in caplog.text:  # a task of the sink says so
                await asyncio.sleep(0.01)


async def test_of_a_file_that_is_too_large_the_rows_stored_longest_ago_go(tmp_path: Path) -> None:
    sink, chain = make(), Chain()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, chain.flush([aggregate(f"p {n}", 1) for n in range(2000)]))
        execute(tmp_path, "UPDATE aggregated_logs SET stored_at = stored_at + id")
        await settle(sink, host, max_store_bytes=1_000_000)
        left = execute(tmp_path, "SELECT count(*), max(id), min(id) FROM aggregated_logs")
        assert 0 < left[0][0] < 2000
        assert left[0][1] == 2000
        assert left[0][2] == 2001 - left[0][0]


async def test_pages_of_moved_details_are_free_for_other_rows(tmp_path: Path) -> None:
    sink, chain = make(details_hours=0), Chain()
    big = summarize([{f"key {n}": "x" * 100 for n in range(9)}])
    async with hosted(sink, tmp_path) as host:
        for hour in range(5):
            rows = [old(f"p {n}", hour * HOUR, 1) for n in range(100)]
            await deliver(sink, chain.flush([msgspec.structs.replace(row, metadata=big) for row in rows]))
        before = execute(tmp_path, "SELECT sum(length(metadata)) FROM aggregated_logs")[0][0]
        assert execute(tmp_path, "PRAGMA freelist_count")[0][0] == 0
        await settle(sink, host, details_hours=48)
        freed = execute(tmp_path, "PRAGMA freelist_count")[0][0] * 4096
        assert freed > before / 2
        assert await total(host.store) == 500
        assert execute(tmp_path, "SELECT count(*) > 0 FROM pattern_details") == [(1,)]
        await settle(sink, host, max_store_bytes=1)
        assert execute(tmp_path, "SELECT count(*) FROM pattern_details") == [(0,)], "details go with their rows"


async def test_the_next_row_to_roll_up_is_found_by_an_index(tmp_path: Path) -> None:
    """Else each step walks past all rows that were rolled up before."""
    async with hosted(make(), tmp_path) as host:
        assert await total(host.store) == 0
    plan = execute(tmp_path, "EXPLAIN QUERY PLAN " + OLDEST.replace("?", "5"))
    assert "aggregated_logs_narrow" in str(plan)


async def test_a_copy_is_fenced_until_a_person_adopts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    chain, sink = Chain(), make()
    async with hosted(sink, tmp_path):
        await deliver(sink, chain.flush([aggregate(count=1)]))
        chain.flush()
        lost = chain.flush([aggregate(count=2)])
        with pytest.raises(FencedError):
            await sink.on_flush(lost)
    assert command(["progress"]) == 0
    assert "instance\t7-1" in capsys.readouterr().out
    assert command(["adopt", "instance"]) == 0
    assert command(["adopt", "instance"]) == 1
    async with hosted(make(), tmp_path) as host:
        sink = make()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, lost)
        assert await total(host.store) == 3


def test_a_missing_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["--file", str(tmp_path / "nothing"), "progress"]) == 1
    assert "no such file" in capsys.readouterr().err


async def test_reads_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    sink = make()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, Chain().flush([aggregate(count=5)]))
        other = sqlite3.connect(tmp_path / "logs.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert await total(host.store) == 5
        other.execute("ROLLBACK")
        other.close()


async def test_what_was_rolled_back_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state of a row that was written and undone must not be what the next flush is merged with."""
    sink, chain = make(), Chain()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, chain.flush([aggregate("a", 1)]))
        flush = chain.flush([aggregate("a", 2), aggregate("b", 3)])
        with monkeypatch.context() as patch:
            patch.setattr("log_aggregator_sqlite.writer._move_progress", _full_disk)
            with pytest.raises(RetryableError):
                await sink.on_flush(flush)
        following = chain.flush([aggregate("c", 1)])
        await deliver(sink, flush)
        await deliver(sink, following)
        await deliver(sink, chain.flush([aggregate("a", 4), aggregate("b", 5)]))
        for row in await all_patterns(host.store):
            detail = await host.store.pattern(row.pattern_id)
            assert detail is not None
            assert detail.metadata["user"]["count"] == row.count == {"a": 7, "b": 8, "c": 1}[row.pattern]


def _full_disk(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


async def test_an_alias_may_come_while_a_page_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink, chain = make(), Chain()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, chain.flush([aggregate("a", 1), aggregate("b", 2)]))
        earlier_ids = host.store._earlier_ids

        async def late(final_ids: list[str]) -> dict[str, str]:
            found = await earlier_ids(final_ids)
            await deliver(sink, chain.flush(aliases=[Alias(pattern_id("a"), "c", 1)]))
            return found

        with monkeypatch.context() as patch:
            patch.setattr(host.store, "_earlier_ids", late)
            page = await all_patterns(host.store)
        assert {row.pattern: row.levels for row in page} == {"a": {"INFO": 1}, "b": {"INFO": 2}}
        page = await all_patterns(host.store)
        assert {row.pattern: row.levels for row in page} == {"c": {"INFO": 1}, "b": {"INFO": 2}}

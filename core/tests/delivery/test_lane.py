"""One sink's lane: in order, again and again, and never past what is not stored."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core.tests.made import make_plugin
from log_aggregator import RetryableError
from log_aggregator.delivery import lane as lane_module
from log_aggregator.delivery.lane import Lane
from log_aggregator.journal import sqlite_journal
from log_aggregator.journal.local import SqliteJournal
from log_aggregator.sinks import Aggregate, Flush, PermanentError, Position


class Sink:
    """Stores exactly once; `fail` says what happens to an attempt before or after it is stored."""

    def __init__(self, fail: Callable[[int, str], Awaitable[None]] | None = None) -> None:
        self.fail = fail
        self.attempts = 0
        self.stored: list[int] = []
        self.progress: Position | None = None

    async def on_flush(self, flush: Flush) -> None:
        self.attempts += 1
        if self.fail:
            await self.fail(self.attempts, "before")
        if not flush.is_stored(self.progress):
            self.stored.append(flush.position.sequence)
            self.progress = flush.position
        if self.fail:
            await self.fail(self.attempts, "after")


def flush(sequence: int, logs: int = 1) -> Flush:
    return Flush("me", Position(5, sequence), None, 1, 2, logs, (Aggregate(0, "p", "INFO", "s", logs, 1, 2),))


class Rig:
    def __init__(self, lane: Lane, journal: SqliteJournal) -> None:
        self.lane, self.partition, self.outbox = lane, journal.partition, journal.outbox

    async def seal(self, *sequences: int) -> None:
        for sequence in sequences:
            await self.partition.seal(flush(sequence), 0, keep=True)
            self.lane.offer(flush(sequence))

    async def reached(self, sequence: int) -> None:
        async with asyncio.timeout(20):
            await self.lane.reached(sequence)


@asynccontextmanager
async def rig(tmp_path: Path, sink: Any, *, timeout: float = 20, **entry: Any) -> AsyncIterator[Rig]:
    async with sqlite_journal(tmp_path, 10) as journal:
        lane = Lane(make_plugin(sink, **entry), journal.partition, ["sink"], timeout, lambda: None)
        await lane.open()
        task = asyncio.create_task(lane.run())
        try:
            yield Rig(lane, journal)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "FIRST_PAUSE", 0.001)


async def test_flushes_come_in_order_each_once(tmp_path: Path) -> None:
    sink = Sink()
    async with rig(tmp_path, sink) as r:
        await r.seal(1, 2, 3)
        await r.reached(3)
    assert sink.stored == [1, 2, 3]


async def test_a_delivered_flush_is_freed_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "FREED_AT_ONCE", 2)
    groups = [Aggregate(0, f"p{number}", "INFO", "s", 1, 1, 2) for number in range(5)]
    made = Flush("me", Position(5, 1), None, 1, 2, 5, tuple(groups))
    seen = []
    async with rig(tmp_path, Sink()) as at:
        await at.partition.seal(made, 0, keep=True)
        alone = sys.getrefcount(groups[0]) - 1  # without the tuple of the flush
        at.lane.offer(made)
        del made
        async with asyncio.timeout(20):
            while 0 not in seen:
                await asyncio.sleep(0)
                seen.append(sum(sys.getrefcount(groups[number]) > alone for number in range(5)))
    assert set(seen) == {5, 3, 1, 0}


async def test_an_error_is_tried_again_and_holds_back_what_follows(tmp_path: Path) -> None:
    async def fail(attempt: int, moment: str) -> None:
        if moment == "before" and attempt <= 4:
            raise [RetryableError("down"), ValueError("?"), SystemExit(1), TimeoutError()][attempt - 1]

    sink = Sink(fail)
    async with rig(tmp_path, sink) as r:
        await r.seal(1, 2)
        await r.reached(2)
        assert (r.lane.errors, r.lane.failures, r.lane.state) == (4, 0, "stored")
    assert sink.stored == [1, 2]


async def longest_pauses(lane: Lane, errors: int) -> dict[int, float]:
    """The longest pause seen after each of so many errors from now on."""
    seen: dict[int, float] = {}
    until = lane.errors + errors
    async with asyncio.timeout(60):
        while lane.errors < until:
            pause = lane.stats()["pause_seconds"]
            seen[lane.errors] = max(pause, seen.get(lane.errors, 0.0))
            await asyncio.sleep(0.001)
    return seen


async def test_a_pause_stays_within_what_the_error_allows_and_grows_from_there(tmp_path: Path) -> None:
    """A server that is back but answers with an error is not left alone for the longest pause at once."""
    bound, away = 0.1, True

    async def fail(_: int, __: str) -> None:
        raise RetryableError("not there", retry_within=bound) if away else RetryableError("overloaded")

    async with rig(tmp_path, Sink(fail)) as r:
        await r.seal(1)
        refused = await longest_pauses(r.lane, 15)
        before, away = r.lane.errors, False
        answered = await longest_pauses(r.lane, 4)
    assert bound / 2 <= max(refused.values()) <= bound
    assert all(pause <= bound * 2 ** (errors - before) for errors, pause in answered.items())
    assert max(answered.values()) > bound


async def test_the_pause_grows_anew_after_the_sink_was_back(tmp_path: Path) -> None:
    async def fail(attempt: int, moment: str) -> None:
        if moment == "before" and attempt != 8:
            raise RetryableError("down")

    async with rig(tmp_path, Sink(fail)) as r:
        await r.seal(1)
        await r.reached(1)
        await r.seal(2)
        again = await longest_pauses(r.lane, 3)
    first = lane_module.FIRST_PAUSE
    assert all(pause <= first * 2 ** (errors - 7) for errors, pause in again.items() if errors > 7)


async def test_an_unknown_commit_is_decided_by_the_progress(tmp_path: Path) -> None:
    async def fail(attempt: int, moment: str) -> None:
        if moment == "after" and attempt % 2:
            raise ConnectionResetError

    sink = Sink(fail)
    async with rig(tmp_path, sink) as r:
        await r.seal(*range(1, 6))
        await r.reached(5)
    assert sink.stored == [1, 2, 3, 4, 5]
    assert sink.attempts == 10


async def test_a_full_disk_does_not_deliver_a_stored_flush_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Sink()
    async with rig(tmp_path, sink) as r:
        advance, refused = r.outbox.advance, iter(range(4))

        def full(*arguments: Any) -> None:
            if next(refused, None) is not None:
                raise sqlite3.OperationalError("database or disk is full")
            advance(*arguments)

        r.outbox.advance = full  # type: ignore[method-assign]
        await r.seal(1)
        await r.reached(1)
    assert (sink.stored, sink.attempts) == ([1], 1)
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert line.error == "the journal cannot be written: database or disk is full"


async def test_a_sink_that_hangs_is_cancelled_and_tried_again(tmp_path: Path) -> None:
    async def fail(attempt: int, moment: str) -> None:
        if moment == "before" and attempt == 1:
            await asyncio.sleep(3600)

    sink = Sink(fail)
    async with rig(tmp_path, sink, timeout=0.2) as r:
        await r.seal(1)
        await r.reached(1)
    assert set(sink.stored) == {1}
    assert sink.attempts >= 2, "more than two where the machine is slower than the timeout"


async def test_progress_survives_a_restart(tmp_path: Path) -> None:
    sink = Sink()
    async with rig(tmp_path, sink) as r:
        await r.seal(1, 2)
        await r.reached(2)
    async with rig(tmp_path, sink) as r:
        assert r.lane.cursor == 2
        await r.seal(3)
        await r.reached(3)
    assert sink.stored == [1, 2, 3]


async def test_what_was_merged_while_the_sink_was_away_is_delivered_once(tmp_path: Path) -> None:
    away = True

    async def fail(_: int, moment: str) -> None:
        if away and moment == "before":
            raise RetryableError("away")

    total: list[int] = []

    class Counting(Sink):
        async def on_flush(self, flush: Flush) -> None:
            await super().on_flush(flush)
            total.append(flush.logs)

    sink = Counting(fail)
    async with rig(tmp_path, sink) as r:
        await r.seal(*range(1, 41))
        while await r.partition.merge_waiting([r.lane.cursor], 5):
            pass
        away = False
        r.lane.hurry()
        await r.reached(40)
    assert sum(total) == 40
    assert len(total) < 20


async def test_a_required_sink_that_refuses_keeps_the_flush_and_asks_for_a_person(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: int, __: str) -> None:
        raise PermanentError("the table is gone")

    async with rig(tmp_path, Sink(fail)) as r:
        await r.seal(1)
        async with asyncio.timeout(20):
            while r.lane.state != "stopped":
                await asyncio.sleep(0.005)
        assert (await r.lane.waiting()).flushes == 1
    assert [entry.levelname for entry in caplog.records] == ["ERROR"]


async def test_a_sink_that_is_not_required_drops_what_it_refuses_and_counts(tmp_path: Path) -> None:
    async def fail(_: int, __: str) -> None:
        raise PermanentError("no")

    async with rig(tmp_path, Sink(fail), required=False) as r:
        await r.seal(1, 2)
        await r.reached(2)
        assert r.lane.stats()["lost_logs"] == 2


async def test_the_backlog_of_a_sink_that_is_not_required_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_module, "BACKLOG_GROUPS", 3)

    async def fail(_: int, __: str) -> None:
        raise RetryableError("away")

    async with rig(tmp_path, Sink(fail), required=False) as r:
        await r.seal(*range(1, 11))
        await r.reached(7)
        assert (await r.lane.waiting()).flushes == 3
        assert r.lane.stats()["lost_logs"] == 7

"""Positions through the ingester: durable with the records, known at once, and never behind what was committed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from core.tests.ingest.test_ingester import Held, settled
from core.tests.made import Store, crashing
from log_aggregator import Batch, Record, Reject
from log_aggregator.errors import OverloadedError
from log_aggregator.journal import ReaderPosition
from log_aggregator.journal.intake import Intake
from log_aggregator.service.service import Service

Make = Callable[..., Record]
AT = ReaderPosition("files", "a", b"1")


class Censor:
    """Refuses batches with a certain message."""

    def on_ingest(self, batch: Batch) -> None:
        if any(record.message == "banned" for record in batch):
            raise Reject("banned")


def known(service: Service) -> bytes | None:
    return service.runtime.journal.positions.get("files", "a")


async def test_a_position_and_its_records_survive_a_crash_together(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    for number in (b"1", b"2", b"3"):
        async with crashing(start(batch_size=10_000)) as service:
            assert known(service) == (None if number == b"1" else b"%d" % (int(number) - 1))
            await service.submit([record(pattern="kept")], position=AT._replace(value=number))
            assert known(service) == number
    async with start() as service:
        assert known(service) == b"3"
    assert store.counts == {"kept": 3}


async def test_requests_with_positions_commit_in_order(start: Callable[..., Service], record: Make) -> None:
    async with start() as service:
        held = Held(service)
        takes = [service.submit([record()], position=AT._replace(value=b"%d" % number)) for number in range(5)]
        takes += [service.submit([record()])]
        tasks = [asyncio.create_task(take) for take in takes]
        await settled()
        assert known(service) is None
        await held.release()
        await asyncio.gather(*tasks)
        assert known(service) == b"4"


async def test_a_reader_cancelled_during_the_commit_goes_on_behind_it(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    """Were the cancellation raised at once, the reader would start again at the old position and send it twice."""
    async with start() as service:
        held = Held(service)
        task = asyncio.create_task(service.submit([record()], position=AT))
        await settled()
        task.cancel()
        await settled()
        assert (task.done(), known(service)) == (False, None)
        await held.release()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert known(service) == b"1"
    assert store.total == 1


async def test_what_is_refused_moves_no_position_and_nothing_can(start: Callable[..., Service], record: Make) -> None:
    async with start(Censor()) as service:
        with pytest.raises(Reject):
            await service.submit([record("banned")], position=AT)
        assert known(service) is None
        receipt = await service.submit([], position=AT)
        assert (receipt.accepted, known(service)) == (0, b"1")


async def test_a_journal_that_cannot_be_written_moves_no_position(
    start: Callable[..., Service], store: Store, record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Intake.append

    def full(self: Intake, connection: sqlite3.Connection, entries: Any) -> Any:
        append(self, connection, entries)
        raise sqlite3.OperationalError("database or disk is full")

    async with start() as service:
        monkeypatch.setattr(Intake, "append", full)
        with pytest.raises(OverloadedError):
            await service.submit([record()], position=AT)
        assert known(service) is None
        monkeypatch.undo()
        await service.submit([record()], position=AT)
        assert known(service) == b"1"
    assert store.total == 1


async def test_with_memory_durability_the_position_is_kept_all_the_same(
    start: Callable[..., Service], record: Make
) -> None:
    async with start(durability="memory") as service:
        receipt = await service.submit([record()], position=AT)
        assert receipt.durable is False
    async with start(durability="memory") as service:
        assert known(service) == b"1"

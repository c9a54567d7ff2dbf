"""Between the request and the acknowledgement: the stages run beside the commit, and only what is safe is counted."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest

from core.tests.made import Store, sqlite_of
from log_aggregator import Batch, Record
from log_aggregator.errors import OverloadedError
from log_aggregator.ingest.ingester import ROW
from log_aggregator.plugins.slices import RECORDS, WEIGHT
from log_aggregator.service.service import Service

Make = Callable[..., Record]


class Seen:
    """A stage that notes how many records it has seen."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def normalize(self, batch: Batch) -> None:
        self.messages += [record.message for record in batch]
        for record in batch:
            record.pattern = record.message


class Held:
    """Keeps the journal's thread busy until `release`."""

    def __init__(self, service: Service) -> None:
        self._gate = threading.Event()
        self._done = sqlite_of(service).writer.submit(lambda _: self._gate.wait(30))

    async def release(self) -> None:
        self._gate.set()
        await self._done


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_stages_run_while_the_commit_is_awaited(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    seen = Seen()
    async with start(seen) as service:
        held = Held(service)
        sent = [record("a"), record("b")]
        submission = asyncio.create_task(service.submit(sent))
        await settled()
        assert (seen.messages, submission.done(), service.runtime.accumulators.tally.logs) == (["a", "b"], False, 0)
        assert sent == []
        await held.release()
        assert (await submission).accepted == 2
        await service.flush(20)
        assert store.counts == {"a": 1, "b": 1}
        assert seen.messages == ["a", "b"]


async def test_what_gathers_is_worked_on_before_its_commit_begins(start: Callable[..., Service], record: Make) -> None:
    seen = Seen()
    async with start(seen) as service:
        held = Held(service)
        submissions = [asyncio.create_task(service.submit([record("first")]))]
        await settled()
        for number in range(4):
            submissions.append(asyncio.create_task(service.submit([record(f"{number}")] * (ROW // 4))))
            await settled()
        assert len(seen.messages) == 1 + ROW
        submissions.append(asyncio.create_task(service.submit([record("waits")])))
        await settled()
        assert "waits" not in seen.messages
        await held.release()
        assert sum([(await submission).accepted for submission in submissions]) == 2 + ROW


async def test_what_the_journal_refuses_is_not_counted_though_the_stages_saw_it(
    start: Callable[..., Service], store: Store, record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Seen()
    async with start(seen) as service:

        def fails(*_: Any) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        with monkeypatch.context() as patched:
            patched.setattr(sqlite_of(service).intake, "append", fails)
            with pytest.raises(OverloadedError):
                await service.submit([record("refused")])
        await service.submit([record("kept")])
        await service.flush(20)
    assert seen.messages == ["refused", "kept"]
    assert store.counts == {"kept": 1}


async def test_a_duplicate_is_no_work_for_the_stages(start: Callable[..., Service], store: Store, record: Make) -> None:
    seen = Seen()
    async with start(seen) as service:
        for _ in range(3):
            await service.submit([record("once")], key="k", digest=b"same")
        await service.flush(20)
    assert seen.messages == ["once"]
    assert store.counts == {"once": 1}


async def test_a_huge_batch_waits_for_its_turn_and_is_counted(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    seen = Seen()
    async with start(seen) as service:
        held = Held(service)
        huge = [record("many") for _ in range(4 * RECORDS + 1)]
        submission = asyncio.create_task(service.submit(huge))
        await settled()
        assert seen.messages == []
        await held.release()
        await submission
        await service.flush(20)
    assert store.counts == {"many": 4 * RECORDS + 1}


async def test_long_messages_wait_for_their_turn_as_well(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    seen = Seen()
    async with start(seen) as service:
        held = Held(service)
        long = [record("x" * 16_000) for _ in range(5 * WEIGHT // 16_000)]
        submission = asyncio.create_task(service.submit(long))
        await settled()
        assert seen.messages == []
        await held.release()
        await submission
        await service.flush(20)
    assert store.total == 5 * WEIGHT // 16_000

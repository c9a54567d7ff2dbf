"""`GET /health` while the journal is full or cannot be written."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

import pytest

from core.tests.made import Store, sqlite_of
from log_aggregator import Record
from log_aggregator.errors import OverloadedError
from log_aggregator.journal import JournalError
from log_aggregator.service import node
from log_aggregator.service.service import Service

Make = Callable[..., Record]


async def test_a_full_disk_is_seen_in_health_until_it_is_mended(
    start: Callable[..., Service], store: Store, record: Make
) -> None:
    async with start() as service:
        refusing = {"first": "INSERT ON intake", "second": "UPDATE ON meta"}
        for name, write in refusing.items():
            trigger = f"CREATE TEMP TRIGGER {name} BEFORE {write} BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
            await sqlite_of(service).writer.submit(lambda c, trigger=trigger: c.execute(trigger))
        with pytest.raises(OverloadedError, match="the journal cannot be written"):
            await service.submit([record()])
        for _ in range(2):
            health = await service.health()
            assert (health.status, health.accepting) == ("unhealthy", False)
            assert "the journal cannot be written" in health.checks["journal"]["detail"]
        for name in refusing:
            await sqlite_of(service).writer.submit(lambda c, name=name: c.execute(f"DROP TRIGGER {name}"))
        health = await service.health()
        assert health.accepting
        assert health.checks["journal"]["ok"]
        await service.submit([record()])
    assert store.total == 1


async def test_a_full_journal_refuses_and_says_why(start: Callable[..., Service], store: Store, record: Make) -> None:
    async with start() as service:
        service.runtime.ingester.journal_bytes = service.settings.journal_max_bytes + 1
        with pytest.raises(OverloadedError, match="journal is full"):
            await service.submit([record()])
        health = await service.health()
        assert (health.status, health.accepting) == ("unhealthy", False)


async def test_a_full_disk_logs_lines_and_no_tracebacks(
    start: Callable[..., Service], record: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "MEASURE_EVERY", 0.001)
    async with start() as service:
        writer = sqlite_of(service).writer
        trigger = "CREATE TEMP TRIGGER full BEFORE INSERT ON intake BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
        await writer.submit(lambda connection: connection.execute(trigger))
        async with asyncio.timeout(30):
            while "waits for the journal" not in caplog.text:
                go_on = threading.Event()
                held = writer.submit(lambda _, go_on=go_on: go_on.wait(30))
                refused = asyncio.create_task(service.submit([record()]))
                await asyncio.sleep(0.01)  # what is asked of the journal meanwhile shares the transaction that fails
                go_on.set()
                with contextlib.suppress(JournalError):  # it may share that transaction
                    await held
                with pytest.raises(OverloadedError):
                    await refused
        await writer.submit(lambda connection: connection.execute("DROP TRIGGER full"))
    assert not [line for line in caplog.records if line.exc_info]


async def test_logs_without_a_pattern_of_their_own_degrade_and_say_who_makes_them(
    start: Callable[..., Service], record: Make
) -> None:
    async with start() as service:
        assert (await service.health()).status == "healthy"
        await service.submit(
            [record(f"ran job-{a}{b}", pattern="{OVERFLOW}", source="cron") for a in "abc" for b in "abc"]
        )
        await service.flush(20)
        health = await service.health()
        assert (health.status, health.accepting) == ("degraded", True)
        assert "100% of them are of the source 'cron'" in health.checks["patterns"]["detail"]

"""Background tasks of plugins: started again with growing pauses, seen in `/health`, ended when they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from core.tests.listeners.made import until
from log_aggregator.errors import OverloadedError
from log_aggregator.plugins import supervised
from log_aggregator.plugins.supervised import SupervisedTask
from log_aggregator.sinks import RetryableError

Slept = list[float]


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> Slept:
    """Pauses take no time, and are noted."""
    pauses: Slept = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(supervised.asyncio, "sleep", noted)
    return pauses


def failing(times: int, error: Callable[[], BaseException]) -> tuple[Callable[[], Awaitable[None]], asyncio.Event]:
    left, well = times, asyncio.Event()

    async def work() -> None:
        nonlocal left
        if left:
            left -= 1
            raise error()
        well.set()
        await asyncio.Event().wait()

    return work, well


async def running(work: Callable[[], Awaitable[None]]) -> SupervisedTask:
    task = SupervisedTask("files", "tail", work)
    task.start()
    return task


@pytest.mark.parametrize("error", [KeyError, SystemExit, asyncio.CancelledError])
async def test_a_task_that_fails_is_started_again_with_growing_pauses(slept: Slept, error: type[BaseException]) -> None:
    work, well = failing(8, lambda: error("hunter2"))
    task = await running(work)
    async with asyncio.timeout(20):
        await well.wait()
    bounds = [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(slept) == len(bounds)
    assert all(bound / 2 <= pause <= bound for pause, bound in zip(slept, bounds, strict=True))
    complaint = str(await task.complaint())
    assert complaint.startswith("was started again after it failed, 8 times since the start: ")
    assert f"{error.__name__} at core/tests/plugins/test_supervised.py:" in complaint
    assert "hunter2" not in complaint
    await task.stop()


async def test_while_it_pauses_health_says_so() -> None:
    work, _ = failing(1, KeyError)
    task = await running(work)
    assert await task.complaint() is None
    await until(lambda: task.failures)
    await asyncio.sleep(0)
    assert str(await task.complaint()).startswith("failed, 1 times since the start, and is started again: KeyError at ")
    async with asyncio.timeout(20):
        await task.stop()


async def test_after_it_has_run_steadily_it_is_well_and_its_next_pause_is_short(
    slept: Slept, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, well = failing(5, KeyError)
    task = await running(work)
    async with asyncio.timeout(20):
        await well.wait()
    assert await task.complaint() is not None
    monkeypatch.setattr(supervised, "STEADY", 0.0)
    assert await task.complaint() is None
    assert task._next_pause(KeyError()) <= supervised.FIRST_PAUSE
    await task.stop()


@pytest.mark.parametrize(
    "error", [OverloadedError("full", retry_after=0.25), RetryableError("no broker", retry_after=0.25)]
)
async def test_an_error_may_say_when_to_start_again(slept: Slept, error: Exception) -> None:
    work, well = failing(2, lambda: error)
    task = await running(work)
    async with asyncio.timeout(20):
        await well.wait()
    assert slept == [0.25, 0.25]
    await task.stop()


async def test_a_task_that_returns_is_done() -> None:
    calls = 0

    async def once() -> None:
        nonlocal calls
        calls += 1

    task = await running(once)
    await until(lambda: calls)
    for _ in range(5):
        await asyncio.sleep(0)
    assert (calls, await task.complaint()) == (1, None)
    await task.stop()


async def test_stopping_waits_for_the_end_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervised, "END_DEADLINE", 0.02)
    release, ended = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await release.wait()
            ended.set()
            raise

    task = await running(stubborn)
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await task.stop()
        assert "does not end when it is cancelled" in caplog.text
        release.set()
        await ended.wait()

"""An outcome that must be known is waited for, whatever happens to the task that waits."""

from __future__ import annotations

import asyncio

import pytest

from log_aggregator.ingest.uninterrupted import uninterrupted


async def waiting(outcome: asyncio.Future[int]) -> asyncio.Task[int]:
    task = asyncio.create_task(uninterrupted(outcome))
    await asyncio.sleep(0)
    return task


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_the_result_and_the_exception_of_the_future() -> None:
    good: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    good.set_result(3)
    assert await uninterrupted(good) == 3
    bad: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    bad.set_exception(OSError("no"))
    with pytest.raises(OSError, match="no"):
        await uninterrupted(bad)


@pytest.mark.parametrize("outcome", [1, OSError("no")])
async def test_a_cancellation_waits_for_the_outcome(outcome: int | Exception) -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = await waiting(future)
    for _ in range(2):
        task.cancel()
        await turns()
        assert not task.done()
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_around_it_comes_out_as_one() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, future.set_result, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await uninterrupted(future)
    assert future.done()

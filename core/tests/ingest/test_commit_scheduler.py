"""When a commit begins: never later than it must, and with as many as are about to come."""

from __future__ import annotations

import asyncio

import pytest

from log_aggregator.ingest.commit_scheduler import LONGEST, LONGEST_AT_ALL, MANY, CommitScheduler


class Clock:
    """The time of the event loop, which passes when a test says so: a busy machine changes nothing."""

    now = 1000.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
async def _loop_with_the_clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock.now)


class Commits:
    """Notes how many requests each commit took, as an ingester would know."""

    def __init__(self) -> None:
        self.pace = CommitScheduler(self._commit)
        self.sizes: list[int] = []
        self._arrived = 0

    def _commit(self) -> None:
        self.sizes.append(self._arrived)
        self._arrived = 0
        self.pace.began(writing=True)

    def arrive(self, requests: int) -> None:
        for _ in range(requests):
            self._arrived += 1
            self.pace.arrived()

    async def keep_coming(self, clock: Clock, seconds: float) -> None:
        """One request each turn of the loop, each of which takes a while to decode."""
        until = clock.now + seconds
        while clock.now < until and len(self.sizes) < 2:
            clock.now += LONGEST / 8
            self.arrive(1)
            await asyncio.sleep(0)

    async def soon(self) -> list[int]:
        """The commits that began without waiting."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return self.sizes


async def test_one_after_the_other_never_waits() -> None:
    commits = Commits()
    for number in range(5):
        commits.arrive(1)
        assert await commits.soon() == [1] * (number + 1)
        commits.pace.ended()


async def test_few_do_not_wait_for_each_other() -> None:
    commits = Commits()
    commits.arrive(1)
    for number in range(5):
        assert await commits.soon() == [1] * (number + 1)
        commits.arrive(1)
        commits.pace.ended()


async def test_what_arrives_at_once_is_one_commit() -> None:
    commits = Commits()
    commits.arrive(20)
    assert await commits.soon() == [20]


async def test_among_many_it_waits_until_all_are_there_again() -> None:
    commits = Commits()
    commits.arrive(MANY)
    await commits.soon()
    commits.arrive(MANY)
    commits.pace.ended()
    commits.arrive(MANY - 1)
    assert await commits.soon() == [MANY]
    commits.arrive(1)
    assert await commits.soon() == [MANY, 2 * MANY]


async def test_those_that_stay_away_are_not_waited_for_long(clock: Clock) -> None:
    commits = Commits()
    commits.arrive(2 * MANY)
    await commits.soon()
    commits.arrive(1)
    commits.pace.ended()
    assert await commits.soon() == [2 * MANY]
    clock.now += LONGEST
    for _ in range(10):
        await asyncio.sleep(0)
    assert commits.sizes == [2 * MANY, 1]
    commits.pace.ended()
    commits.arrive(1)
    assert await commits.soon() == [2 * MANY, 1, 1]


async def test_while_requests_keep_coming_a_commit_waits_for_those_that_are_expected(clock: Clock) -> None:
    commits = Commits()
    commits.arrive(1000)
    await commits.soon()
    commits.pace.ended()
    await commits.keep_coming(clock, 2 * LONGEST)
    assert commits.sizes == [1000]
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(commits.sizes) == 2


async def test_but_not_for_ever(clock: Clock) -> None:
    commits = Commits()
    commits.arrive(10_000)
    await commits.soon()
    commits.pace.ended()
    await commits.keep_coming(clock, 2 * LONGEST_AT_ALL)
    assert len(commits.sizes) == 2


async def test_the_next_commit_is_far_until_the_last_of_those_expected_arrives() -> None:
    commits = Commits()
    assert not commits.pace.is_far
    commits.arrive(MANY)
    await commits.soon()
    assert commits.pace.is_far
    commits.pace.ended()
    for _ in range(MANY - 1):
        assert commits.pace.is_far
        commits.arrive(1)
    assert not commits.pace.is_far


async def test_nothing_is_planned_while_nothing_waits(clock: Clock) -> None:
    commits = Commits()
    commits.arrive(2 * MANY)
    await commits.soon()
    commits.pace.ended()
    clock.now += 2 * LONGEST_AT_ALL
    for _ in range(10):
        await asyncio.sleep(0)
    assert commits.sizes == [2 * MANY]

"""Whose turn it is to take a connection: that of the worker with fewest, of those that take any."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_aggregator.config.place import Place
from log_aggregator.http import sharing
from log_aggregator.http.sharing import ABSENT, Counts, Turns


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(sharing.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def counts(tmp_path: Path) -> Counts:
    return Counts(Place(0, 3, None, str(tmp_path)))


def test_all_see_the_same_numbers(tmp_path: Path) -> None:
    place = Place(1, 2, None, str(tmp_path))
    supervisor, worker = Counts(place), Counts(place)
    Turns(worker, 1).have(7)
    assert (supervisor[0], supervisor[1]) == (0, 7)
    supervisor[1] = ABSENT
    assert worker[1] == ABSENT


def test_a_single_worker_takes_all(tmp_path: Path) -> None:
    turns = Turns(Counts(Place(0, 1, None, str(tmp_path))), 0)
    turns.have(1000)
    assert turns.mine()


def test_connections_taken_in_any_order_are_spread_evenly(counts: Counts) -> None:
    turns = [Turns(counts, number) for number in range(3)]
    for greedy in (0, 0, 0, 1, 2, 2, 0, 1, 1, 2, 1, 0) * 10:  # who wakes first, and would take all
        taker = next(n for n in (greedy, 0, 1, 2) if turns[n].mine())
        turns[taker].have(counts[taker] + 1)
    assert [counts[number] for number in range(3)] == [40, 40, 40]


def test_nobody_waits_for_a_worker_that_is_being_replaced(counts: Counts) -> None:
    turns = Turns(counts, 0)
    turns.have(5)
    counts[1] = counts[2] = 5
    assert turns.mine()
    counts[1] = 4
    assert not turns.mine()
    counts[1] = ABSENT
    assert turns.mine()


def test_a_worker_that_takes_none_is_given_up_until_it_does(counts: Counts, clock: list[float]) -> None:
    turns = Turns(counts, 0)
    turns.have(5)
    counts[1], counts[2] = 3, 5
    assert not turns.mine()
    clock[0] += sharing.PATIENCE / 2
    assert not turns.mine()
    counts[1] = 4  # it works: the patience begins anew
    clock[0] += sharing.PATIENCE * 0.75
    assert not turns.mine()
    clock[0] += sharing.PATIENCE
    assert turns.mine()
    turns.have(9)
    assert not turns.mine(), "worker 2 has fewer, too, and was not given up"
    counts[2] = 9
    assert turns.mine()
    counts[1] = 5
    assert not turns.mine(), "it takes connections again"
    counts[1] = 4
    assert not turns.mine(), "what it had when it was given up says nothing any more"


def test_connections_that_come_and_go_wait_for_nobody(counts: Counts, clock: list[float]) -> None:
    turns = Turns(counts, 0)
    counts[1] = counts[2] = 3
    turns.have(4)
    for _ in range(sharing.SHORT_LIVED - 1):
        turns.lost()
    assert not turns.mine(), "a few that close are no reason"
    turns.lost()
    assert turns.mine()
    turns.have(5)
    assert not turns.mine()
    turns.have(4)
    clock[0] += sharing.WINDOW
    assert turns.mine()
    clock[0] += sharing.WINDOW
    assert not turns.mine(), "it was long ago"

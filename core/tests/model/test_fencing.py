"""Whether a flush continues what a store holds: a copy of the data directory is told apart."""

from __future__ import annotations

import pytest

from log_aggregator.model.aggregate import START
from log_aggregator.sinks import FencedError, Flush, Position


def chained(sequence: int, epoch: int, previous: Position | None) -> Flush:
    return Flush("me", Position(epoch, sequence), previous, 1, 2, 1, ())


def test_a_copy_of_the_data_directory_is_fenced() -> None:
    common = chained(8, 1, Position(1, 7))
    assert not common.is_stored(Position(1, 7))
    assert common.is_stored(Position(1, 8))
    original, copy = chained(9, 2, Position(1, 8)), chained(9, 3, Position(1, 8))
    assert not original.is_stored(Position(1, 8))
    with pytest.raises(FencedError, match="copy of this data directory"):
        copy.is_stored(original.position)


def test_a_first_flush_is_fenced_by_another_first_flush() -> None:
    first, copy = chained(1, 2, START), chained(1, 3, START)
    assert not first.is_stored(None)
    with pytest.raises(FencedError):
        copy.is_stored(first.position)


def test_after_dropped_flushes_the_chain_is_taken_up_anew() -> None:
    assert not chained(9, 1, None).is_stored(Position(1, 4))


@pytest.mark.parametrize("previous", [Position(1, 7), Position(1, 3), None])
def test_a_flush_is_stored_when_a_later_one_of_its_epoch_is(previous: Position | None) -> None:
    late = chained(8, 1, previous)
    assert late.is_stored(Position(1, 9))
    assert late.is_stored(Position(1, 800))


def test_a_later_flush_of_another_epoch_says_nothing_of_this_one() -> None:
    with pytest.raises(FencedError):
        chained(8, 1, Position(1, 7)).is_stored(Position(2, 9))

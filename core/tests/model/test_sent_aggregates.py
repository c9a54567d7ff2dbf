"""The chain of deliveries: what was taken before, what continues it, and what does not."""

from __future__ import annotations

import pytest

from log_aggregator.errors import FencedError
from log_aggregator.model.aggregate import START, Position
from log_aggregator.model.sent_aggregates import Link

SECOND = Link("edge", Position(7, 2), Position(7, 1))


@pytest.mark.parametrize(
    ("known", "stored"),
    [(None, False), ((7, 1), False), ((7, 2), True), ((7, 9), True)],
    ids=["new", "before", "same", "later"],
)
def test_a_delivery_is_taken_once(known: tuple[int, int] | None, stored: bool) -> None:
    assert SECOND.is_stored(None if known is None else Position(*known)) is stored


@pytest.mark.parametrize("known", [(7, 0), (8, 1), (8, 9)], ids=["gap", "other epoch", "far"])
def test_what_does_not_continue_the_chain_is_refused(known: tuple[int, int]) -> None:
    with pytest.raises(FencedError, match="7-2 of edge follows 7-1, but"):
        SECOND.is_stored(Position(*known))


def test_the_first_delivery_of_another_chain_under_the_same_name_is_refused() -> None:
    with pytest.raises(FencedError, match="follows nothing"):
        Link("edge", Position(9, 1), START).is_stored(Position(7, 2))

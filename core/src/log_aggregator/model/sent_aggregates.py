"""Aggregates that another service sends, and their place in the chain of what it sends."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from log_aggregator.errors import FencedError
from log_aggregator.model.aggregate import START, Aggregate, Alias, Position


class SentAggregates(msgspec.Struct, frozen=True):
    """Aggregates and aliases of another service; `bucket` is how many seconds one aggregate covers there."""

    bucket: int
    aggregates: tuple[Aggregate, ...] = ()
    aliases: tuple[Alias, ...] = ()

    @property
    def logs(self) -> int:
        """The logs that the aggregates count."""
        return sum([aggregate.count for aggregate in self.aggregates])


class Link(NamedTuple):
    """The place of one delivery in a chain: `name` tells chains apart, `previous` is the delivery before.

    `previous` is `START` for the first one. Within an epoch, sequences grow.
    """

    name: str
    position: Position
    previous: Position

    def is_stored(self, known: Position | None) -> bool:
        """Whether this delivery was taken already; `known` is the newest that was taken, `None` before the first.

        Raises `FencedError` when it does not continue the chain.
        """
        if known is None or known == self.previous:
            return False
        if known.epoch == self.position.epoch and known.sequence >= self.position.sequence:
            return True
        before = "nothing" if self.previous == START else f"{self.previous.epoch:x}-{self.previous.sequence}"
        raise FencedError(
            f"delivery {self.position.epoch:x}-{self.position.sequence} of {self.name} follows {before}, but "
            f"{known.epoch:x}-{known.sequence} was taken last: another service sends from a copy of its data "
            "directory, or this service was restored from a backup"
        )

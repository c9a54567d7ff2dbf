"""Where acknowledged records go: to the aggregator of this process, or to whoever reads a shared journal."""

from __future__ import annotations

from typing import Protocol

from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.sent_aggregates import SentAggregates
from log_aggregator.processing.partial_aggregates import PartialAggregate


class Acknowledged(Protocol):
    """What the ingester gives on; `Aggregator` is one. Positions are those in the journal, 0 for what is not there."""

    @property
    def queued(self) -> int:
        """Records that were given on and are not aggregated yet."""

    def enqueue(self, position: int, parts: list[WorkingBatch]) -> None:
        """Take the slices of a batch."""

    def enqueue_processed(self, position: int, size: int, partials: list[PartialAggregate]) -> None:
        """Take a batch of `size` records that the stages have seen."""

    def enqueue_aggregates(self, position: int, sent: SentAggregates) -> None:
        """Take aggregates of another service."""


class ReadElsewhere:
    """Implements `Acknowledged` for a shared journal: the owner of the partition reads the records from there."""

    queued = 0

    def enqueue(self, position: int, parts: list[WorkingBatch]) -> None:
        """See `Acknowledged.enqueue`."""

    def enqueue_processed(self, position: int, size: int, partials: list[PartialAggregate]) -> None:
        """See `Acknowledged.enqueue_processed`."""

    def enqueue_aggregates(self, position: int, sent: SentAggregates) -> None:
        """See `Acknowledged.enqueue_aggregates`."""

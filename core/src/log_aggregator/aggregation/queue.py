"""Acknowledged batches that wait to be aggregated, in the order of the journal."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.sent_aggregates import SentAggregates
from log_aggregator.processing.partial_aggregates import PartialAggregate


class SlicesEntry(NamedTuple):
    """A batch whose slices are still to be processed. `size` counts its records."""

    position: int
    size: int
    slices: list[WorkingBatch]


class PartialsEntry(NamedTuple):
    """A batch that was processed while its commit was pending. `size` counts its records."""

    position: int
    size: int
    partials: list[PartialAggregate]


class AggregatesEntry(NamedTuple):
    """What another service sent. `size` counts its aggregates."""

    position: int
    size: int
    sent: SentAggregates


Entry = SlicesEntry | PartialsEntry | AggregatesEntry


class Queue:
    """A FIFO of entries.

    `records` counts the records that are not aggregated yet; whoever takes an entry subtracts its records when they
    are. `entries_put` and `entries_taken` count from the start.
    """

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._drained = asyncio.Event()
        self.records = 0
        self.entries_put = 0
        self.entries_taken = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry) -> None:
        """Append an entry."""
        self._entries.append(entry)
        self.entries_put += 1
        self._drained.clear()
        self.records += entry.size

    def take(self) -> Entry:
        """Remove and return the first entry. Raises `IndexError` when there is none."""
        self.entries_taken += 1
        return self._entries.popleft()

    def take_partials(self) -> PartialsEntry | None:
        """The first entry, if it was processed before its commit; `None` and nothing is taken otherwise."""
        entry = self._entries[0] if self._entries else None
        if not isinstance(entry, PartialsEntry):
            return None
        self.take()
        return entry

    def take_slices(self, records: int) -> list[SlicesEntry]:
        """The first entries that are still to be processed, until they hold `records` records."""
        found: list[SlicesEntry] = []
        while records > 0 and self._entries:
            entry = self._entries[0]
            if not isinstance(entry, SlicesEntry):
                break
            self.take()
            found.append(entry)
            records -= entry.size
        return found

    def mark_drained(self) -> None:
        """Note that everything that was put has been aggregated."""
        self._drained.set()

    async def drained(self) -> None:
        """Wait until everything that was put has been aggregated."""
        if self.records:
            await self._drained.wait()

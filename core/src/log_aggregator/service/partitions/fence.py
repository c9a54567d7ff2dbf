"""A partition whose owner may have been replaced: who learns that stops there, and is started anew from the log."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from log_aggregator.journal import Identity, LaneState, RowContent, SharedPartition, Stand, SupersededError, Waiting
from log_aggregator.model.aggregate import Alias, Anomaly, Flush


class Fenced:
    """Implements `Partition`. A seal or a lane that is superseded never returns: `superseded` is set, to end it all.

    `unsealed` are the events of a flush that was superseded: what else it held is read again, they are not.
    """

    def __init__(self, partition: SharedPartition) -> None:
        self._partition = partition
        self.superseded = asyncio.Event()
        self.unsealed: list[Alias | Anomaly] = []

    @property
    def identity(self) -> Identity:
        """See `Partition.identity`."""
        return self._partition.identity

    async def stand(self) -> Stand:
        """See `Partition.stand`."""
        return await self._partition.stand()

    async def read(self, after: int, most: int) -> list[tuple[int, RowContent]]:
        """See `Partition.read`."""
        return await self._partition.read(after, most)

    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        """See `Partition.seal`."""
        self.unsealed = [*flush.aliases, *flush.anomalies]
        try:
            await self._partition.seal(flush, watermark, keep=keep)
        except SupersededError:
            await self._stop()
        self.unsealed = []

    async def open_lane(self, name: str) -> LaneState:
        """See `Partition.open_lane`."""
        return await self._partition.open_lane(name)

    async def after(self, cursor: int) -> Flush | None:
        """See `Partition.after`."""
        try:
            return await self._partition.after(cursor)
        except SupersededError:
            await self._stop()

    async def advance(self, name: str, state: LaneState, lanes: list[str]) -> None:
        """See `Partition.advance`."""
        try:
            await self._partition.advance(name, state, lanes)
        except SupersededError:
            await self._stop()

    async def waiting(self, cursor: int) -> Waiting:
        """See `Partition.waiting`."""
        return await self._partition.waiting(cursor)

    async def merge_waiting(self, cursors: list[int], max_samples: int) -> int:
        """See `Partition.merge_waiting`."""
        return await self._partition.merge_waiting(cursors, max_samples)

    async def _stop(self) -> NoReturn:
        self.superseded.set()
        while True:  # until it is cancelled
            await asyncio.Event().wait()

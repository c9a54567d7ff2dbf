"""The partitions of a shared journal that this process owns: begun and ended as members come and go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from log_aggregator.aggregation.tally import Tally
from log_aggregator.delivery.lane import Lane
from log_aggregator.journal import JournalError, SharedJournal
from log_aggregator.model.aggregate import Alias, Anomaly
from log_aggregator.service.partitions.apart import LanesApart
from log_aggregator.service.partitions.fence import Fenced
from log_aggregator.service.partitions.run import PartitionRun
from log_aggregator.service.partitions.work import PartitionWork, Sealed
from log_aggregator.service.supervision import Work, cancelled

SEAL_AGAIN = 0.1
"""Seconds until a partition that starts anew is asked again to seal."""

log = logging.getLogger(__name__)


class OwnedPartitions:
    """Implements `Partitions`. An event waits until this process owns a partition: it rides on a flush of that."""

    def __init__(
        self, journal: SharedJournal, wire: Callable[[Fenced], PartitionWork], tally: Tally, apart: LanesApart | None
    ) -> None:
        """`tally`: of what is sealed, outlasting each work.

        `apart`: the lanes of plugins that run once in the cluster, where this is the member that has them.
        """
        self.tally = tally
        self._apart = apart
        self._journal = journal
        self._wire = wire
        self._runs: dict[str, tuple[PartitionRun, asyncio.Task[None]]] = {}
        self._events: list[Alias | Anomaly] = []

    @property
    def works(self) -> list[PartitionWork]:
        """What is open now."""
        return [run.work for run, _ in self._runs.values() if run.work is not None]

    @property
    def lanes_apart(self) -> list[Lane]:
        """Lanes over partitions that anybody owns."""
        return [] if self._apart is None else self._apart.lanes

    async def start(self, spawn: Callable[[Work, str], None]) -> None:
        """Follow what this process owns."""
        spawn(self._follow, "partitions")
        if self._apart is not None:
            spawn(self._apart.run, "lanes apart")

    async def stop(self) -> None:
        """End the work on every partition."""
        tasks = [task for _, task in self._runs.values()]
        self._runs.clear()
        await cancelled(tasks)

    def emit(self, event: Alias | Anomaly) -> None:
        """Add an event to the next flush of a partition."""
        for work in self.works[:1]:
            work.aggregator.emit(event)
            return
        self._events.append(event)

    async def seal(self) -> list[Sealed]:
        """Seal all that was acknowledged before this call, in the partitions that this process owns."""
        sealed = await asyncio.gather(*(self._seal(name) for name in self._runs))
        return [one for one in sealed if one is not None]

    async def _seal(self, name: str) -> Sealed | None:
        """Seal what one partition holds, once it is open; `None` when another member owns it by then."""
        while name in self._runs:
            with contextlib.suppress(JournalError):
                sealed = await self._runs[name][0].seal()
                if sealed is not None:
                    return sealed
            await asyncio.sleep(SEAL_AGAIN)
        return None

    async def _follow(self) -> None:
        async for owned in self._journal.owned():
            gone, new = self._runs.keys() - owned, owned - self._runs.keys()
            await cancelled([self._runs.pop(name)[1] for name in gone])
            for name in sorted(new):
                run = PartitionRun(name, lambda name=name: self._journal.partition_of(name), self._wire, self._events)  # type: ignore[misc]  # binds it
                self._runs[name] = run, asyncio.create_task(run.run(), name=f"partition {name}")
            log.info("the partitions of this member changed", extra={"partitions": ",".join(sorted(owned)) or "none"})

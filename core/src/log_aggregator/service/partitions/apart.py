"""Sinks of which there is one in the whole cluster: their lanes read every partition, whoever owns it."""

from __future__ import annotations

import asyncio
import logging

from log_aggregator.delivery.lane import Lane
from log_aggregator.journal import SharedJournal
from log_aggregator.service.partitions.fence import Fenced
from log_aggregator.service.partitions.lanes import LaneMaker
from log_aggregator.service.supervision import cancelled, supervised

LOOK_EVERY = 1.0
"""Seconds between two looks for new flushes of a partition."""

log = logging.getLogger(__name__)


class LanesApart:
    """Runs those lanes on the member that has these plugins."""

    def __init__(self, journal: SharedJournal, maker: LaneMaker) -> None:
        self._journal = journal
        self._maker = maker
        self._open: dict[str, list[Lane]] = {}

    @property
    def lanes(self) -> list[Lane]:
        """Those that are open now."""
        return [lane for lanes in self._open.values() for lane in lanes]

    async def run(self) -> None:
        """Deliver for ever; cancel to stop."""
        names = self._journal.partition_names
        tasks = [
            asyncio.create_task(supervised(lambda name=name: self._follow(name), f"lanes apart of {name}"))  # type: ignore[misc]  # binds it
            for name in names
        ]
        try:
            await asyncio.wait(tasks)
        finally:
            await cancelled(tasks)

    async def _follow(self, name: str) -> None:
        """Deliver the flushes of one partition. Ends when another process moves one of its lanes."""
        partition = Fenced(self._journal.partition_of(name))
        lanes = self._maker.lanes_apart(partition)
        for lane in lanes:
            await lane.open()
        tasks = [asyncio.create_task(supervised(lane.run, f"lane {lane.name} of {name}")) for lane in lanes]
        self._open[name] = lanes
        try:
            while not partition.superseded.is_set():
                sequence = (await partition.stand()).sequence
                for lane in lanes:
                    lane.sealed(sequence)
                await asyncio.sleep(LOOK_EVERY)
        finally:
            del self._open[name]
            await cancelled(tasks)
        log.warning("another process delivers to the plugins that run once; starting anew", extra={"partition": name})

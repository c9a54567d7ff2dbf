"""Slices of acknowledged records → partial aggregates: runs the stages, without a queue."""

from __future__ import annotations

import asyncio
import time

from log_aggregator.model.batch import WorkingBatch
from log_aggregator.plugins.stages import Stages, StageUnavailableError
from log_aggregator.processing.partial_aggregates import InvalidRecordError, PartialAggregate, PreAggregator

SLICES_AT_ONCE = 4
"""Slices of one request that are processed while its commit is pending; more would hold the event loop up."""


class Processor:
    """Runs the stages over slices and aggregates each. `busy_seconds` is the time that this took."""

    def __init__(self, stages: Stages, aggregator: PreAggregator) -> None:
        self._stages = stages
        self._aggregator = aggregator
        self.busy_seconds = 0.0

    def process(self, slices: list[WorkingBatch]) -> list[PartialAggregate] | None:
        """Process slices whose commit is pending. Their records are not needed any more then.

        `None` when they must be processed after the commit: there are too many, a stage has a process of its own, or
        one cannot run now.
        """
        if self._stages.has_isolated or len(slices) > SLICES_AT_ONCE:
            return None
        started = time.perf_counter()
        found: list[PartialAggregate] = []
        try:
            for batch in slices:
                self._stages.process(batch)
                found += self._aggregated(batch)
        except StageUnavailableError:
            return None
        finally:
            self.busy_seconds += time.perf_counter() - started
        return found

    async def process_acknowledged(self, batch: WorkingBatch) -> list[PartialAggregate]:
        """Process one slice of acknowledged records. Waits as long as a stage with `on_error = "wait"` cannot run."""
        while True:
            started = time.perf_counter()
            try:
                if self._stages.has_isolated:
                    await self._stages.process_with_isolated(batch)
                    started = time.perf_counter()
                else:
                    self._stages.process(batch)
                return self._aggregated(batch)
            except StageUnavailableError as error:
                await asyncio.sleep(error.retry_after)
            finally:
                self.busy_seconds += time.perf_counter() - started

    def _aggregated(self, batch: WorkingBatch) -> list[PartialAggregate]:
        try:
            return self._aggregator.sort(batch)
        except InvalidRecordError:
            self._stages.inspector.repair(batch)
            return self._aggregator.sort(batch)

    def escalate_if_invalid(self, *, accumulated: bool) -> None:
        """Let every plugin be watched closely when metadata was invalid: here, or where it was accumulated."""
        if accumulated or self._aggregator.found_invalid:
            self._aggregator.found_invalid = False
            self._stages.inspector.escalate("metadata")

    def escalate(self, fields: str) -> None:
        """Let every plugin be watched closely: one of them left these fields invalid."""
        self._stages.inspector.escalate(fields)

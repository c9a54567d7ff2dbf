"""The ingester of a journal that several processes have open: it appends, and leaves the rest to the owners."""

from __future__ import annotations

import asyncio

from log_aggregator.config.settings import Settings
from log_aggregator.errors import KeyReusedError
from log_aggregator.ingest.acknowledged import ReadElsewhere
from log_aggregator.ingest.ingester import Ingester, as_overload
from log_aggregator.ingest.request import Row
from log_aggregator.journal import Appended, Journal
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.processor import Processor

GROWS = 16
"""Rows under way from which on requests wait for one of them and share the next: each is a message of its own."""


class SharedIngester(Ingester):
    """Runs `on_ingest`, appends and acknowledges. No row waits for the outcome of another."""

    def __init__(self, settings: Settings, stages: Stages, processor: Processor, journal: Journal) -> None:
        super().__init__(settings, stages, processor, journal, ReadElsewhere())
        self._under_way = 0

    @property
    def closed_because(self) -> str | None:
        """See `Ingester.closed_because`. The journal's own limit refuses what it has no room for."""
        if self._in_hand > self._settings.queue_max_records:
            return "too many logs wait to be written"
        return None

    def _commit(self) -> None:
        self._fill_rows()
        rows, self._rows = self._rows, []
        self._under_way += len(rows)
        self._scheduler.began(writing=self._under_way >= GROWS)
        for row in rows:
            future = self._journal.append([row.entry] if row.entry is not None else [])
            future.add_done_callback(lambda done, row=row: self._appended(row, done))  # type: ignore[misc]  # binds it

    def _appended(self, row: Row, done: asyncio.Future[list[Appended | KeyReusedError]]) -> None:
        self._under_way -= 1
        if self._scheduler.committing and self._under_way < GROWS:
            self._scheduler.ended()
        failure = done.exception()
        self._settle(row, as_overload(failure) if failure is not None else done.result()[0])

    def _process(self, row: Row) -> None:
        """Run no stage: the owner of the partition does."""

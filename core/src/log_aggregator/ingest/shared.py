"""The ingester of a journal that several processes have open: it appends, and leaves the rest to the owners."""

from __future__ import annotations

import asyncio

from log_aggregator.config.settings import Settings
from log_aggregator.errors import KeyReusedError, TooManyLogsError
from log_aggregator.ingest.acknowledged import ReadElsewhere
from log_aggregator.ingest.cutting import TOO_LONG, cut
from log_aggregator.ingest.ingester import Ingester, as_overload
from log_aggregator.ingest.request import Row
from log_aggregator.journal import Appended, Entry, SharedJournal, TooLargeError, encode
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.processor import Processor

GROWS = 16
"""Rows under way from which on requests wait for one of them and share the next: each is a message of its own."""


class SharedIngester(Ingester):
    """Runs `on_ingest`, appends and acknowledges. No row waits for the outcome of another."""

    def __init__(self, settings: Settings, stages: Stages, processor: Processor, journal: SharedJournal) -> None:
        super().__init__(settings, stages, processor, journal, ReadElsewhere())
        self._shared = journal
        self._under_way = 0
        self._cutting: set[asyncio.Task[None]] = set()

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
        if isinstance(failure, TooLargeError):
            task = asyncio.create_task(self._cut(row), name="cut a row")
            self._cutting.add(task)
            task.add_done_callback(self._cutting.discard)
        else:
            self._settle(row, as_overload(failure) if failure is not None else done.result()[0])

    async def _cut(self, row: Row) -> None:
        """Write a row that is too long for one message without the records that are too long by themselves."""
        try:
            result: Appended | BaseException = await self._in_pieces(row)
        except BaseException as error:  # whoever waits for the row must have an answer
            self._settle(row, as_overload(error))
            if not isinstance(error, Exception):
                raise
        else:
            self._settle(row, result)

    async def _in_pieces(self, row: Row) -> Appended | KeyReusedError:
        entry = row.entry
        if entry is None or not row.parts:
            raise TooManyLogsError("a delivery is longer than the journal takes in one message")
        records = [record for part in row.parts for record in part.records()]
        pieces, too_long = await cut(records, self._shared.fits)
        if entry.key is not None and len(pieces) > 1:
            raise TooManyLogsError(
                f"{len(records)} logs under one key are longer than the journal takes in one message; send fewer"
            )
        gone = {id(record) for record in too_long}
        row.size -= len(gone)
        self._in_hand -= len(gone)
        self.rejected += len(gone)
        for request in row.requests:
            request.note_rejected(gone, TOO_LONG)
        payloads: list[tuple[bytes | None, int]] = [(encode(piece), len(piece)) for piece in pieces]
        if not pieces and entry.position is None:
            return Appended(0, 0)
        # The position comes last: it says that what was read before it is here.
        *before, last = payloads or [(None, 0)]
        if before:
            await self._journal.append([Entry(*one) for one in before])
        return (await self._journal.append([Entry(*last, entry.key, entry.digest, entry.position)]))[0]

    def _process(self, row: Row) -> None:
        """Run no stage: the owner of the partition does."""

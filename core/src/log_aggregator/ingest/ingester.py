"""Received records → journal → acknowledgement: `on_ingest`, group commit, backpressure."""

from __future__ import annotations

import asyncio
import hashlib

from log_aggregator.config.settings import Settings
from log_aggregator.errors import KeyReusedError, OverloadedError, Reject
from log_aggregator.ingest.acknowledged import Acknowledged
from log_aggregator.ingest.commit_scheduler import CommitScheduler
from log_aggregator.ingest.request import Request, Row, neighbors, records_of
from log_aggregator.ingest.uninterrupted import uninterrupted
from log_aggregator.journal import Appended, Entry, Journal, JournalError, ReaderPosition, encode
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.receipt import Receipt
from log_aggregator.model.record import Record
from log_aggregator.model.validation import UNENCODABLE
from log_aggregator.plugins.slices import Pace, paced_slices, slices, weight
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.processor import Processor

ROW = 2000
"""Gathered records from which on they are processed at once instead of waiting for the commit before."""


class Ingester:
    """Takes records in, from HTTP and from receivers alike.

    Requests that arrive during a commit share the next one; those without a key also share the calls of
    `on_ingest` and a row of the journal. The stages run while the commit is pending.
    """

    def __init__(
        self,
        settings: Settings,
        stages: Stages,
        processor: Processor,
        journal: Journal,
        aggregator: Acknowledged,
    ) -> None:
        self._settings = settings
        self._durable = settings.durability == "journal"
        self._stages = stages
        self._processor = processor
        self._journal = journal
        self._aggregator = aggregator
        self._gathering: list[Request] = []
        self._gathered = self._gathered_size = 0
        self._pace = Pace()
        self._rows: list[Row] = []
        self._loop = asyncio.get_running_loop()
        self._scheduler = CommitScheduler(self._commit)
        self._opened = asyncio.Event()
        self._in_hand = 0
        self.journal_bytes = 0
        self.accepted = 0
        self.rejected = 0
        self.refused = 0
        self.duplicates = 0

    def open(self) -> None:
        """Accept records. Until then they wait.

        What a crash left in the journal must be processed first: a later record that overtook it would be sealed
        with a watermark that trims what has not been replayed yet.
        """
        self._opened.set()

    @property
    def closed_because(self) -> str | None:
        """Why no log can be accepted now; `None` when one can."""
        if self.journal_bytes > self._settings.journal_max_bytes:
            return "the journal is full: the sinks have not taken what waits there"
        if self._in_hand + self._aggregator.queued > self._settings.queue_max_records:
            return "too many logs wait to be aggregated"
        return None

    async def submit(
        self,
        records: list[Record],
        *,
        key: str | None = None,
        digest: bytes = b"",
        size: int | None = None,
        position: ReaderPosition | None = None,
    ) -> Receipt:
        """Run `on_ingest`, journal and acknowledge the records of one request; returns once they are durable.

        The list is the ingester's from now on. `size`: the bytes that the records took, where known. A `position` is
        written in the transaction that writes the records; a cancellation is raised once the outcome is known.
        Raises `OverloadedError` when nothing was accepted, `Reject` when a plugin refused the request and
        `KeyReusedError` when the key came with another body before.
        """
        if not self._opened.is_set() or self.closed_because is not None:
            await self.admit(len(records))
        if key is not None:
            digest = digest or hashlib.blake2b(encode(records), digest_size=16).digest()
        if size is None:
            size = sum(map(weight, records))
        request = Request(records, key, digest, size, self._loop.create_future(), position)
        self._in_hand += len(records)
        if self._pace.is_one_slice(len(records), size):
            self._gather(request)
        else:
            await self._guard_in_slices(request)
        self._scheduler.arrived()
        return await (request.done if position is None else uninterrupted(request.done))

    async def admit(self, logs: int) -> None:
        """Wait until the service has started. Raises `OverloadedError` when no log can be accepted now."""
        await self._opened.wait()
        if (reason := self.closed_because) is not None:
            self.refused += logs
            raise OverloadedError(reason)

    def put(self, row: Row) -> None:
        """Commit a row that the guards have seen; its requests are acknowledged then."""
        self._in_hand += row.size
        self._rows.append(row)
        self._scheduler.arrived()

    def _gather(self, request: Request) -> None:
        self._gathering.append(request)
        self._gathered += len(request.records)
        self._gathered_size += request.size
        if self._gathered >= ROW or not self._pace.is_one_slice(self._gathered, self._gathered_size):
            self._fill_rows()
            if self._scheduler.is_far:  # until then the records would leave the processor's cache
                for row in self._rows:
                    self._process(row)

    async def _guard_in_slices(self, request: Request) -> None:
        """Run `on_ingest` over one large request, in slices between which others have their turn."""
        parts: list[WorkingBatch] = []
        rejected: list[tuple[object, str]] = []
        try:
            self._pace.begin(len(request.records), request.size)
            for part, size in paced_slices(WorkingBatch(request.records), self._pace):
                with self._pace.timing(size):
                    kept, refused = self._stages.guard(part)
                rejected += refused
                if kept.size:
                    parts.append(kept)
                await asyncio.sleep(0)
        except BaseException as error:
            self._refuse([request], error)
            raise
        kept_records = sum([part.size for part in parts])
        if kept_records < len(request.records):
            self._in_hand -= len(request.records) - kept_records
            self._note_kept([request], parts, rejected)
        self._rows.append(Row([request], parts, self._entry(request, parts)))

    def _fill_rows(self) -> None:
        """Run `on_ingest` over what has gathered; it is ready for the journal then."""
        requests, self._gathering = self._gathering, []
        self._gathered = self._gathered_size = 0
        for together in neighbors(requests):
            self._rows += self._guarded(together)

    def _guarded(self, requests: list[Request]) -> list[Row]:
        """Run `on_ingest` over the records of neighbors together. A refusal of them is asked again of each alone."""
        batch = WorkingBatch(records_of(requests))
        size = sum([request.size for request in requests])
        try:
            with self._pace.timing(size):
                kept, rejected = self._stages.guard(batch)
        except (Reject, OverloadedError) as error:
            if len(requests) == 1 or isinstance(error, OverloadedError):
                self._refuse(requests, error)
                return []
            for request in requests:  # a stage may have annotated them by now
                request.records = [*request.records]
            return [row for request in requests for row in self._guarded([request])]
        self._in_hand -= batch.size - kept.size
        if kept is not batch:
            self._note_kept(requests, [kept], rejected)
        parts = [*slices(kept, size)]
        return [Row(requests, parts, self._entry(requests[0], parts))]

    def _refuse(self, requests: list[Request], error: BaseException) -> None:
        self._in_hand -= (records := sum([len(request.records) for request in requests]))
        self._count_refused(records, error)
        for request in requests:
            request.refuse(error)
            if request.done.done() and not request.done.cancelled():
                request.done.exception()  # the caller may get it another way

    def _count_refused(self, records: int, error: BaseException) -> None:
        if isinstance(error, Reject):
            self.rejected += records
        else:
            self.refused += records

    def _note_kept(
        self, requests: list[Request], parts: list[WorkingBatch], rejected: list[tuple[object, str]]
    ) -> None:
        kept = {id(record) for part in parts for record in part.records()}
        reasons = {id(record): why for record, why in rejected}
        for request in requests:
            request.note_kept(kept, reasons)
        self.rejected += len(rejected)

    def _entry(self, request: Request, parts: list[WorkingBatch]) -> Entry | None:
        if not self._durable and not request.needs_own_row:
            return None
        payload = None
        if self._durable and parts:
            try:
                payload = _encoded(parts)
            except UNENCODABLE:
                for part in parts:
                    self._stages.inspector.repair(part)
                payload = _encoded(parts)
        return Entry(payload, sum([part.size for part in parts]), request.key, request.digest, request.position)

    def _commit(self) -> None:
        """Give all that waits to the writer, and run the stages while it writes."""
        self._fill_rows()
        rows, self._rows = self._rows, []
        lasting = [row for row in rows if row.entry is not None]
        self._scheduler.began(writing=bool(lasting))
        if lasting:
            entries = [row.entry for row in lasting if row.entry is not None]
            future = self._journal.append(entries)
            future.add_done_callback(lambda done: self._committed(lasting, done))
        for row in rows:
            self._process(row)
            if row.entry is None:
                self._settle(row, Appended(0, row.size))

    def _process(self, row: Row) -> None:
        """Run the stages while the commit is pending, unless they ran already or the row may be a duplicate.

        Then the records are released: the next ones take their place in memory, which the processor's cache holds.
        """
        if row.partials is not None or row.requests[0].key is not None:
            return
        row.partials = self._processor.process(row.parts)
        if row.partials is not None:
            row.parts = []
            for request in row.requests:
                request.records.clear()

    def _committed(self, rows: list[Row], done: asyncio.Future[list[Appended | KeyReusedError]]) -> None:
        failure = done.exception()
        if failure is None and self._durable and self._journal.problem:
            failure = JournalError(self._journal.problem)
        results: list[Appended | BaseException]
        results = [as_overload(failure)] * len(rows) if failure is not None else list(done.result())
        self._scheduler.ended()
        for row, result in zip(rows, results, strict=True):
            self._settle(row, result)

    def _settle(self, row: Row, result: Appended | BaseException) -> None:
        self._in_hand -= row.size
        if isinstance(result, BaseException):
            self._count_refused(row.size, result)
            for request in row.requests:
                request.refuse(result)
            return
        if row.entry is not None and row.entry.position is not None:
            self._journal.positions.note(row.entry.position)
        if result.duplicate:
            self.duplicates += 1
        else:
            self.accepted += row.logs
            if row.sent is not None:
                self._aggregator.enqueue_aggregates(result.position, row.sent)
            elif row.partials is not None:
                self._aggregator.enqueue_processed(result.position, row.size, row.partials)
            elif row.parts:
                self._aggregator.enqueue(result.position, row.parts)
        for request in row.requests:
            request.acknowledge(result, self._durable)


def _encoded(parts: list[WorkingBatch]) -> bytes:
    records = parts[0].records() if len(parts) == 1 else [record for part in parts for record in part.records()]
    return encode(records, annotated=any(part.is_annotated for part in parts))


def as_overload(failure: BaseException) -> BaseException:
    """What a sender is told of a failure: one of the journal passes."""
    if isinstance(failure, JournalError):
        return OverloadedError(str(failure), retry_after=5.0)
    return failure

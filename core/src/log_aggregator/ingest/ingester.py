"""Received records → journal → acknowledgement: `on_ingest`, group commit, backpressure."""

from __future__ import annotations

import asyncio
import hashlib
from typing import NamedTuple

from log_aggregator.aggregation.aggregator import Aggregator
from log_aggregator.config.settings import Settings
from log_aggregator.errors import KeyReusedError, OverloadedError, Reject
from log_aggregator.ingest.commit_scheduler import CommitScheduler
from log_aggregator.journal import Appended, Entry, Intake, JournalError, Writer
from log_aggregator.journal.intake import encode
from log_aggregator.model.batch import Batch, is_fresh
from log_aggregator.model.record import Fresh, Record
from log_aggregator.model.validation import UNENCODABLE
from log_aggregator.plugins.slices import slices
from log_aggregator.plugins.stages import Stages
from log_aggregator.processing.partial_aggregates import PartialAggregate

ROW = 2000
"""Records from which on what has gathered is worked on at once instead of waiting for the commit before it."""


class Receipt(NamedTuple):
    """The answer to one batch: `rejected` holds indexes into it, with reasons."""

    accepted: int
    rejected: list[tuple[int, str]]
    duplicate: bool
    durable: bool


class _Request:
    """One batch on its way to the disk."""

    __slots__ = ("accepted", "digest", "done", "key", "records", "rejected")

    def __init__(self, records: list[Record], key: str | None, digest: bytes, done: asyncio.Future[Receipt]) -> None:
        self.records = records
        self.accepted = len(records)
        self.key = key
        self.digest = digest
        self.rejected: list[tuple[int, str]] = []
        self.done = done

    def refuse(self, error: BaseException) -> None:
        """Answer that nothing was accepted."""
        if not self.done.done():
            self.done.set_exception(error)

    def answer(self, appended: Appended, durable: bool) -> None:
        """Answer what was accepted."""
        if not self.done.done():
            accepted = appended.accepted if appended.duplicate else self.accepted
            self.done.set_result(Receipt(accepted, self.rejected, appended.duplicate, durable))


class _Row:
    """What becomes one row of the intake: one request with a key, or neighbors without."""

    __slots__ = ("entry", "kinds", "parts", "requests", "size")

    def __init__(self, requests: list[_Request], parts: list[Batch], entry: Entry | None) -> None:
        """`entry` is `None` when nothing of it goes to the disk."""
        self.requests = requests
        self.parts = parts
        self.size = sum([part.size for part in parts])
        self.entry = entry
        self.kinds: list[PartialAggregate] | None = None

    def treat(self, pipeline: Aggregator) -> None:
        """Let the stages see the records before the commit, unless they have or it may turn out a duplicate.

        Then the records are let go: the next ones take their place in memory, which the processor's cache holds.
        """
        if self.kinds is None and self.requests[0].key is None:
            self.kinds = pipeline.treat(self.parts)
            if self.kinds is not None:
                self.parts = []
                for request in self.requests:
                    request.records.clear()

    def put(self, position: int, pipeline: Aggregator) -> None:
        """Pass the row on, which is safe now."""
        if self.kinds is not None:
            pipeline.put_treated(position, self.size, self.kinds)
        elif self.parts:
            pipeline.put(position, self.parts)


class Ingester:
    """Where records come in, whichever road they took.

    Requests that arrive while a commit is under way share the next one; those without a key also share the
    calls of `on_ingest` and a row of the journal. The stages run while the commit is awaited.
    """

    def __init__(
        self, settings: Settings, stages: Stages, writer: Writer, intake: Intake, pipeline: Aggregator
    ) -> None:
        self._settings = settings
        self._durable = settings.durability == "journal"
        self._stages = stages
        self._writer = writer
        self._intake = intake
        self._pipeline = pipeline
        self._gathering: list[_Request] = []
        self._gathered = 0
        self._rows: list[_Row] = []
        self._loop = asyncio.get_running_loop()
        self._pace = CommitScheduler(self._commit)
        self._opened = asyncio.Event()
        self._in_hand = 0
        self.journal_bytes = 0
        self.accepted = 0
        self.rejected = 0
        self.refused = 0
        self.duplicates = 0

    def open(self) -> None:
        """Let records in. Until then they wait.

        What a crash left in the journal must be through first: a later record that overtook it would be sealed
        with a watermark that trims what has not been replayed yet.
        """
        self._opened.set()

    @property
    def closed_because(self) -> str | None:
        """Why no log can be accepted now; `None` when the door is open."""
        if self.journal_bytes > self._settings.journal_max_bytes:
            return "the journal is full: the sinks have not taken what waits there"
        if self._in_hand + self._pipeline.queued > self._settings.queue_max_records:
            return "too many logs wait to be aggregated"
        return None

    async def take(self, records: list[Record], *, key: str | None = None, digest: bytes = b"") -> Receipt:
        """Guard, keep and acknowledge one batch; returns once it is durable. The list is the door's: it is emptied.

        Raises `OverloadedError` when nothing was accepted, `Reject` when a plugin refused the batch and
        `KeyReusedError` when the key came with another body before.
        """
        if not self._opened.is_set():
            await self._opened.wait()
        reason = self.closed_because
        if reason is not None:
            self.refused += len(records)
            raise OverloadedError(reason)
        if key is not None:
            digest = digest or hashlib.blake2b(encode(records), digest_size=16).digest()
        request = _Request(records, key, digest, self._loop.create_future())
        self._gathering.append(request)
        self._gathered += len(records)
        self._in_hand += len(records)
        if self._gathered >= ROW:
            self._fill_rows()
            if self._pace.is_far:  # until then the records would leave the processor's cache
                for row in self._rows:
                    row.treat(self._pipeline)
        self._pace.arrived()
        return await request.done

    def _fill_rows(self) -> None:
        """Take what has gathered through `on_ingest`; it is ready for the journal then."""
        requests, self._gathering, self._gathered = self._gathering, [], 0
        for neighbors in _neighbors(requests):
            self._rows += self._guarded(neighbors)

    def _commit(self) -> None:
        """Give all that waits to the writer, and run the stages while it writes."""
        self._fill_rows()
        rows, self._rows = self._rows, []
        lasting = [row for row in rows if row.entry is not None]
        self._pace.began(writing=bool(lasting))
        if lasting:
            entries = [row.entry for row in lasting if row.entry is not None]
            future = self._writer.submit(lambda connection: self._intake.append(connection, entries))
            future.add_done_callback(lambda done: self._committed(lasting, done))
        for row in rows:
            row.treat(self._pipeline)
            if row.entry is None:
                self._settle(row, Appended(0, row.size))

    def _guarded(self, requests: list[_Request]) -> list[_Row]:
        """Run `on_ingest` over neighbors together. A refusal of the whole is asked again of each alone."""
        batch = Batch(_records_of(requests))
        try:
            kept, refused = self._stages.guard(batch)
        except Reject as verdict:
            if len(requests) > 1:
                for request in requests:  # some stage may have said something of them by now
                    request.records = [*request.records]
                return [row for request in requests for row in self._guarded([request])]
            self._in_hand -= batch.size
            self.rejected += batch.size
            requests[0].refuse(verdict)
            return []
        self._in_hand -= batch.size - kept.size
        if kept is not batch:
            self._note_kept(requests, kept, refused)
        entry = self._entry(requests[0], kept)
        return [_Row(requests, list(slices(kept)), entry)]

    def _note_kept(self, requests: list[_Request], kept: Batch, refused: list[tuple[object, str]]) -> None:
        """Tell each request which of its records a plugin refused or dropped."""
        left = set(map(id, kept.written()))
        reasons = {id(record): why for record, why in refused}
        for request in requests:
            marks = list(map(id, request.records))
            request.accepted = sum(mark in left for mark in marks)
            request.rejected = [(index, reasons[mark]) for index, mark in enumerate(marks) if mark in reasons]
        self.rejected += len(refused)

    def _entry(self, request: _Request, batch: Batch) -> Entry | None:
        if not self._durable and request.key is None:
            return None
        payload = None
        if self._durable and batch.size:
            try:
                records = batch.written()
                payload = encode(records, fresh=is_fresh(batch))
            except UNENCODABLE:
                self._stages.make_sound(batch.records())
                payload = encode(batch.written())
        return Entry(payload, batch.size, request.key, request.digest)

    def _committed(self, rows: list[_Row], done: asyncio.Future[list[Appended | KeyReusedError]]) -> None:
        failure = done.exception()
        results: list[Appended | BaseException]
        results = [_as_overload(failure)] * len(rows) if failure is not None else list(done.result())
        self._pace.ended()
        for row, result in zip(rows, results, strict=True):
            self._settle(row, result)

    def _settle(self, row: _Row, result: Appended | BaseException) -> None:
        self._in_hand -= row.size
        if isinstance(result, BaseException):
            self.refused += row.size
            for request in row.requests:
                request.refuse(result)
            return
        if result.duplicate:
            self.duplicates += 1
        else:
            self.accepted += row.size
            row.put(result.position, self._pipeline)
        for request in row.requests:
            request.answer(result, self._durable)


def _neighbors(requests: list[_Request]) -> list[list[_Request]]:
    """Requests without a key stay together; one with a key is alone, so that it can be left out if known."""
    groups: list[list[_Request]] = []
    for request in requests:
        if request.key is None and groups and groups[-1][-1].key is None:
            groups[-1].append(request)
        else:
            groups.append([request])
    return groups


def _records_of(requests: list[_Request]) -> list[Record]:
    """The records of all requests, still fresh when all are."""
    if len(requests) == 1:
        return requests[0].records
    fresh = all(type(request.records) is Fresh for request in requests)
    records: list[Record] = Fresh() if fresh else []
    for request in requests:
        records += request.records
    return records


def _as_overload(failure: BaseException) -> BaseException:
    if isinstance(failure, JournalError):
        return OverloadedError(str(failure), retry_after=5.0)
    return failure

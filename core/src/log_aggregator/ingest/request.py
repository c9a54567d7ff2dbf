"""One request on its way to the disk, its receipt, and the row of the journal that it shares with others."""

from __future__ import annotations

import asyncio

from log_aggregator.journal import Appended, Entry, ReaderPosition
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.receipt import Receipt
from log_aggregator.model.record import DecodedRecords, Record
from log_aggregator.model.sent_aggregates import SentAggregates
from log_aggregator.processing.partial_aggregates import PartialAggregate


class Request:
    """The records of one request until they are acknowledged.

    `size` is about how many bytes they took, `position` where the receiver that read them stands behind them.
    """

    __slots__ = ("accepted", "digest", "done", "key", "position", "records", "rejected", "size")

    def __init__(
        self,
        records: list[Record],
        key: str | None,
        digest: bytes,
        size: int,
        done: asyncio.Future[Receipt],
        position: ReaderPosition | None = None,
    ) -> None:
        self.records = records
        self.accepted = len(records)
        self.key = key
        self.digest = digest
        self.size = size
        self.position = position
        self.rejected: list[tuple[int, str]] = []
        self.done = done

    @property
    def needs_own_row(self) -> bool:
        """Whether the row of the journal holds this request alone: it may be a duplicate, or writes a position."""
        return self.key is not None or self.position is not None

    def note_kept(self, kept: set[int], reasons: dict[int, str]) -> None:
        """Note which records are kept and why others were rejected, both by `id`."""
        ids = list(map(id, self.records))
        self.accepted = sum(one in kept for one in ids)
        self.rejected = [(index, reasons[one]) for index, one in enumerate(ids) if one in reasons]

    def note_rejected(self, records: set[int], reason: str) -> None:
        """Note that records which were kept are rejected after all, by `id`."""
        more = [(index, reason) for index, one in enumerate(self.records) if id(one) in records]
        self.accepted -= len(more)
        self.rejected = sorted([*self.rejected, *more])

    def refuse(self, error: BaseException) -> None:
        """Answer that nothing was accepted."""
        if not self.done.done():
            self.done.set_exception(error)

    def acknowledge(self, appended: Appended, durable: bool) -> None:
        """Answer what was accepted."""
        if not self.done.done():
            accepted = appended.accepted if appended.duplicate else self.accepted
            self.done.set_result(Receipt(accepted, self.rejected, appended.duplicate, durable))


class Row:
    """What becomes one row of the intake: a request that `needs_own_row`, or neighboring requests that do not.

    `parts` are its slices until the stages have seen them, `partials` what they became. `sent` are the aggregates of
    another service, in place of records; `size` counts these then.
    """

    __slots__ = ("entry", "partials", "parts", "requests", "sent", "size")

    def __init__(self, requests: list[Request], parts: list[WorkingBatch], entry: Entry | None) -> None:
        """`entry` is `None` when nothing of it goes to the disk."""
        self.requests = requests
        self.parts = parts
        self.size = sum([part.size for part in parts])
        self.entry = entry
        self.partials: list[PartialAggregate] | None = None
        self.sent: SentAggregates | None = None

    @property
    def logs(self) -> int:
        """The logs of the row."""
        return self.size if self.sent is None else self.sent.logs


def neighbors(requests: list[Request]) -> list[list[Request]]:
    """Requests stay together, except one that `needs_own_row`."""
    groups: list[list[Request]] = []
    for request in requests:
        if groups and not request.needs_own_row and not groups[-1][-1].needs_own_row:
            groups[-1].append(request)
        else:
            groups.append([request])
    return groups


def records_of(requests: list[Request]) -> list[Record]:
    """The records of all requests, still `DecodedRecords` when all are."""
    if len(requests) == 1:
        return requests[0].records
    records: list[Record] = []
    for request in requests:
        records += request.records
    decoded = [request.records for request in requests if isinstance(request.records, DecodedRecords)]
    if len(decoded) == len(requests):
        return DecodedRecords(records, [shape for some in decoded for shape in some.shapes])
    return records

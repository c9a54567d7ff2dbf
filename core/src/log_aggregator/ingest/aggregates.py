"""Aggregates of another service → guards → journal → acknowledgement, each delivery of a chain once."""

from __future__ import annotations

import asyncio
import time
from weakref import WeakValueDictionary

import msgspec

from log_aggregator.errors import Reject
from log_aggregator.ingest.ingester import Ingester
from log_aggregator.ingest.probes import Probes, probe_of_alias
from log_aggregator.ingest.request import Request, Row
from log_aggregator.ingest.uninterrupted import uninterrupted
from log_aggregator.journal import Entry, ReaderPosition, ReaderPositions, encode_aggregates
from log_aggregator.model.aggregate import Aggregate, Alias, Position
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.fields.lenient import BadLogError
from log_aggregator.model.receipt import Receipt
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import Link, SentAggregates
from log_aggregator.model.sent_checks import checked, checked_alias, misfit
from log_aggregator.plugins.slices import Pace, paced_slices
from log_aggregator.plugins.stages import Stages

TURN = 0.005
"""Seconds of checking after which others have their turn."""

_position_decoder = msgspec.msgpack.Decoder(Position)


class AggregateIngester:
    """Takes in what other services send. A delivery and its place in the chain are one transaction."""

    def __init__(
        self, ingester: Ingester, stages: Stages, positions: ReaderPositions, bucket: int, *, durable: bool
    ) -> None:
        self._ingester = ingester
        self._stages = stages
        self._positions = positions
        self._bucket = bucket
        self._durable = durable
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def submit(self, plugin: str, sent: SentAggregates, link: Link) -> Receipt:
        """Check, guard, journal and acknowledge one delivery; returns once it is durable.

        The receipt counts logs and names rejected aggregates by index. A delivery that was taken before is a duplicate.
        Raises `OverloadedError` when nothing was accepted, `Reject` when it cannot be taken at all, and `FencedError`
        when it does not continue its chain.
        """
        await self._ingester.admit(sent.logs)
        lock = self._locks.setdefault((plugin, link.name), asyncio.Lock())
        async with lock:
            known = self._positions.get(plugin, link.name)
            if link.is_stored(None if known is None else _position_decoder.decode(known)):
                self._ingester.duplicates += 1
                return Receipt(sent.logs, [], duplicate=True, durable=self._durable)
            kept, rejected = await self._guarded(sent)
            position = ReaderPosition(plugin, link.name, msgspec.msgpack.encode(link.position))
            return await self._put(kept, rejected, position)

    async def _put(self, kept: SentAggregates, rejected: list[tuple[int, str]], position: ReaderPosition) -> Receipt:
        payload = encode_aggregates(kept) if self._durable and (kept.aggregates or kept.aliases) else None
        request = Request([], None, b"", 0, asyncio.get_running_loop().create_future(), position)
        request.accepted, request.rejected = kept.logs, rejected
        row = Row([request], [], Entry(payload, kept.logs, position=position))
        row.sent, row.size = kept, len(kept.aggregates)
        self._ingester.put(row)
        return await uninterrupted(request.done)

    async def _guarded(self, sent: SentAggregates) -> tuple[SentAggregates, list[tuple[int, str]]]:
        """What is left after the checks and the guards, and the rejected aggregates by index, with reasons."""
        reason = misfit(sent.bucket, self._bucket)
        if reason is not None:
            raise Reject(reason)
        now = time.time_ns() // 1000
        rejected: list[tuple[int, str]] = []
        probes: list[tuple[int, Probes]] = []
        turn = _Turn()
        for index, aggregate in enumerate(sent.aggregates):
            one = self._checked(aggregate, sent.bucket, now)
            if isinstance(one, str):
                rejected.append((index, one))
            else:
                probes.append((index, Probes(one)))
            await turn.over()
        aliases = _checked_aliases(sent.aliases, now)
        of_aliases = {alias: probe_of_alias(alias) for alias in aliases if alias.pattern}
        records = [record for _, probe in probes for record in probe.records] + [*of_aliases.values()]
        kept, reasons = await self._run_guards(records)
        aggregates: list[Aggregate] = []
        for index, probe in probes:
            if id(probe.head) in kept:
                aggregates.append(probe.result(kept))
            elif id(probe.head) in reasons:
                rejected.append((index, reasons[id(probe.head)]))
            await turn.over()
        left = [alias for alias in aliases if not alias.pattern]
        left += [
            msgspec.structs.replace(alias, pattern=record.message)
            for alias, record in of_aliases.items()
            if id(record) in kept
        ]
        return SentAggregates(self._bucket, tuple(aggregates), tuple(left)), sorted(rejected)

    def _checked(self, aggregate: Aggregate, bucket: int, now: int) -> Aggregate | str:
        try:
            return checked(aggregate, bucket, self._bucket, now)
        except (ValueError, BadLogError, msgspec.MsgspecError) as error:
            return str(error)

    async def _run_guards(self, records: list[Record]) -> tuple[set[int], dict[int, str]]:
        """The `id` of each record that the guards keep, and why they rejected others."""
        kept: set[int] = set()
        reasons: dict[int, str] = {}
        pace = Pace()
        for part, size in paced_slices(WorkingBatch(records), pace):
            with pace.timing(size):
                left, refused = self._stages.guard_aggregates(part)
            reasons |= {id(record): why for record, why in refused}
            kept |= {id(record) for record in left.records()} if left.size else set()
            await asyncio.sleep(0)
        return kept, reasons


def _checked_aliases(sent: tuple[Alias, ...], now: int) -> list[Alias]:
    found = []
    for alias in sent:
        try:
            found.append(checked_alias(alias, now))
        except (ValueError, BadLogError):
            continue
    return found


class _Turn:
    """Lets others have their turn after a while."""

    def __init__(self) -> None:
        self._until = time.monotonic() + TURN

    async def over(self) -> None:
        if time.monotonic() > self._until:
            await asyncio.sleep(0)
            self._until = time.monotonic() + TURN

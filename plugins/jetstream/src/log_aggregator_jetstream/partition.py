"""One partition: its intake and its outbox. A flush and how far it covers the intake are one message."""

from __future__ import annotations

import asyncio
import hashlib
import time

import msgspec
import zstandard
from nats.js.api import StreamInfo
from nats.js.errors import APIError

from log_aggregator.journals import (
    START,
    Identity,
    JournalError,
    LaneState,
    RowContent,
    Stand,
    SupersededError,
    TooLargeError,
    Waiting,
    decode_flush,
    encode_flush,
)
from log_aggregator.sinks import Flush
from log_aggregator_jetstream.connection import WRONG_LAST_SEQUENCE, Connection, Stored
from log_aggregator_jetstream.intake import HEADERS, row_of, unpacked
from log_aggregator_jetstream.kept import MSG_ID, Kept, token
from log_aggregator_jetstream.positions import keep_positions
from log_aggregator_jetstream.streams import Names, found, moment

UPTO, COVERED, MADE, META = "LA-Upto", "LA-Covered", "LA-Made", "LA-Meta"

READ_BYTES = 4 * 1024 * 1024
"""Bytes that one read asks for at most, unless one row is larger."""

LAGS = 0.05
"""Seconds after which a replica that lags is asked again."""

SEQUENCES = 1000
"""Flushes whose sizes are read at once to count what waits."""

_lane_decoder = msgspec.msgpack.Decoder(LaneState)


class _Meta(msgspec.Struct, array_like=True):
    """What is counted of a flush without reading it."""

    groups: int
    logs: int
    opened: int


class JetstreamPartition:
    """Implements `Partition`. Another process may own it at the same time: then one of the two is superseded."""

    def __init__(
        self, connection: Connection, names: Names, kept: Kept, number: int, made: tuple[StreamInfo, StreamInfo]
    ) -> None:
        """`made`: the streams of its intake and of its outbox."""
        self._streams = made
        intake, outbox = made
        self.number = number
        self._connection = connection
        self._names = names
        self._kept = kept
        self._intake, self._outbox = names.intake(number), names.outbox(number)
        self._made = moment(intake)
        self.identity = Identity(f"{names.log}/{number}", int(moment(outbox)))
        self._upto = 0
        self._sequence = 0
        self._known = False
        self._caught_up = False
        self._revisions: dict[str, int] = {}
        self._purged = 0

    def view(self) -> JetstreamPartition:
        """Another view of the partition, which knows nothing yet of what was sealed."""
        return JetstreamPartition(self._connection, self._names, self._kept, self.number, self._streams)

    async def stand(self) -> Stand:
        """See `Partition.stand`: the newest flush says it. An intake that does not continue it is a `JournalError`."""
        newest = await self._connection.last(self._outbox, self._names.flushes(self.number))
        if newest is None:
            self._sequence = self._upto = 0
        else:
            self._sequence, self._upto = newest.sequence, int(newest.headers[UPTO])
            if self._upto:
                await self._continues(newest)
        self._known = True
        return Stand(self._sequence, self._upto)

    async def newest(self) -> int:
        """The position of the newest row. Raises `JournalError`."""
        return (await self._info()).state.last_seq

    async def _info(self) -> StreamInfo:
        info = await found(self._connection, self._intake)
        if info is None:
            raise JournalError(f"there is no stream {self._intake}")
        return info

    async def _continues(self, newest: Stored) -> None:
        """Refuse an intake that was made anew, or that lost what a flush covers: new rows would be skipped unseen."""
        info = await self._info()
        upto, covered = int(newest.headers[UPTO]), newest.headers.get(COVERED, "")
        wrong = ""
        if newest.headers[MADE] != moment(info):
            wrong = "it was made anew"
        elif info.state.last_seq < upto:
            wrong = f"it ends at {info.state.last_seq}"
        elif covered and info.state.first_seq <= upto:
            row = await self._connection.message(self._intake, upto)
            if row is None or row.headers.get(MSG_ID) != covered:
                wrong = "another row stands there"
        if wrong:
            raise JournalError(
                f"{self._intake} does not continue what is sealed up to {upto}: {wrong}; stop all services and see "
                "what the servers lost before you delete the streams of this partition"
            )

    async def read(self, after: int, most: int) -> list[tuple[int, RowContent]]:
        """See `Partition.read`: what is there now. Never steps over a sequence."""
        if not self._known:
            await self.stand()
        rows = await self._rows(after, most)
        while not rows and not self._caught_up:
            # A replica that lags has nothing yet. Later that is only a moment's wait; at the start it would say that
            # nothing was left.
            if await self.newest() <= after:
                self._caught_up = True
                break
            await asyncio.sleep(LAGS)
            rows = await self._rows(after, most)
        return rows

    async def _rows(self, after: int, most: int) -> list[tuple[int, RowContent]]:
        rows = []
        for message in await self._connection.following(self._intake, after, most, READ_BYTES):
            if message.sequence != after + 1:
                raise JournalError(f"{self._intake}: after {after} comes {message.sequence}; rows between are missing")
            after = message.sequence
            rows.append((after, row_of(message.body)))
            await asyncio.sleep(0)  # a row takes about a millisecond
        return rows

    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        """See `Partition.seal`: one message, written only behind the flush before it."""
        if not self._known:
            await self.stand()
        sequence, upto = flush.position.sequence, max(self._upto, watermark)
        if sequence != self._sequence + 1:
            raise SupersededError(f"flush {sequence} does not follow {self._sequence}, the newest one")
        body = await asyncio.to_thread(_packed, flush) if keep else b""
        meta = _Meta(len(flush.aggregates), flush.logs, flush.opened) if keep else _Meta(0, 0, 0)
        if len(body) + HEADERS > self._connection.client.max_payload:
            raise TooLargeError(f"a flush of {len(body)} bytes is longer than max_payload of the servers")
        if moment(await self._info()) != self._made:
            raise JournalError(f"{self._intake} was made anew while it was read: what it holds now would be skipped")
        row = await self._connection.message(self._intake, upto) if upto else None
        headers = {
            UPTO: str(upto),
            MADE: self._made,
            COVERED: "" if row is None else row.headers[MSG_ID],
            META: msgspec.json.encode(meta).decode(),
            "Nats-Expected-Last-Sequence": str(sequence - 1),
        }
        # The same flush again, after an unknown outcome, has the same id; any other flush has another.
        drawn = hashlib.blake2b(repr((sequence, upto)).encode() + body, digest_size=12).hexdigest()
        await self._publish(body, {**headers, MSG_ID: f"{sequence}-{drawn}"}, sequence)
        self._sequence, self._upto = sequence, upto

    async def _publish(self, body: bytes, headers: dict[str, str], sequence: int) -> None:
        subject = self._names.flushes(self.number)
        try:
            answer = await self._connection.publish(subject, body, headers)
        except APIError as error:
            if error.err_code not in WRONG_LAST_SEQUENCE:
                raise JournalError(f"the journal refuses a flush: {error.description}") from error
        else:
            if answer.seq == sequence:
                return
        newest = await self._connection.last(self._outbox, subject)
        if newest is None or newest.headers.get(MSG_ID) != headers[MSG_ID]:
            raise SupersededError(f"flush {sequence} does not follow the newest one: another process has sealed since")

    async def open_lane(self, name: str) -> LaneState:
        """See `Partition.open_lane`. What was purged while a sink was off is not delivered to it any more."""
        stand = await self.stand()
        value = await self._kept.load(*self._lane(name))
        if value is None:
            state = LaneState(stand.sequence, START, 0)
            revision = await self._kept.replace(msgspec.msgpack.encode(state), 0, *self._lane(name))
        else:
            state, revision = _lane_decoder.decode(value.body), value.revision
            if state.cursor + 1 < (first := await self._first()):  # a sink that was off for a while
                state = LaneState(first - 1, None, state.lost)
        self._revisions[name] = revision
        return state

    async def after(self, cursor: int) -> Flush | None:
        """See `Partition.after`."""
        while True:
            messages = await self._connection.following(self._outbox, cursor, 1, READ_BYTES)
            if not messages:
                return None
            if messages[0].sequence != cursor + 1:
                if await self._first() > cursor + 1:
                    raise SupersededError(f"{self._outbox}: another process has moved every lane beyond {cursor}")
                raise JournalError(f"{self._outbox}: after {cursor} comes {messages[0].sequence}; flushes are missing")
            if messages[0].body:
                return decode_flush(unpacked(messages[0].body))
            cursor = messages[0].sequence

    async def _first(self) -> int:
        """The sequence of the first flush that is left: every lane was done with those before."""
        info = await found(self._connection, self._outbox)
        if info is None:
            raise JournalError(f"there is no stream {self._outbox}")
        return info.state.first_seq

    async def advance(self, name: str, state: LaneState, lanes: list[str]) -> None:
        """See `Partition.advance`. Raises `SupersededError` when another process moves this lane."""
        body = msgspec.msgpack.encode(state)
        self._revisions[name] = await self._kept.replace(body, self._revisions.get(name, 0), *self._lane(name))
        cursors = []
        for lane in lanes:
            value = await self._kept.load(*self._lane(lane))
            cursors.append(_lane_decoder.decode(value.body).cursor if value is not None else 0)
        done = min(cursors)
        if done > self._purged:
            # The newest one stays: it says how far the intake is covered. Purging keeps what begins with `seq`.
            upto = min(done + 1, self._sequence)
            await self._connection.patiently(
                lambda: self._connection.js.purge_stream(self._outbox, seq=upto), "cannot be purged"
            )
            self._purged = done

    async def waiting(self, cursor: int) -> Waiting:
        """See `Partition.waiting`."""
        flushes = groups = logs = 0
        oldest: int | None = None
        while messages := await self._connection.following(self._outbox, cursor, SEQUENCES, READ_BYTES):
            for message in messages:
                cursor = message.sequence
                if not message.body:
                    continue
                meta = msgspec.json.decode(message.headers[META], type=_Meta)
                flushes, groups, logs = flushes + 1, groups + meta.groups, logs + meta.logs
                oldest = meta.opened if oldest is None else min(oldest, meta.opened)
        return Waiting(flushes, groups, logs, oldest)

    async def merge_waiting(self, cursors: list[int], max_samples: int) -> int:
        """See `Partition.merge_waiting`: what is written in a stream stays as it is."""
        return 0

    async def purge(self, window: float) -> None:
        """Delete rows that a flush covers and that are older than the window in which their keys are known.

        Raises `JournalError`.
        """
        stand = await self.stand()
        upto = await self._older_than(window, stand.upto)
        if upto:
            await keep_positions(self._connection, self._names, self._kept, self.number, upto)
            await self._connection.patiently(
                lambda: self._connection.js.purge_stream(self._intake, seq=upto + 1), "cannot be purged"
            )

    async def _older_than(self, window: float, upto: int) -> int:
        """The newest position up to `upto` that is older than the window; 0 when there is none."""
        first, last, found_one = (await self._info()).state.first_seq, upto, 0
        before = time.time() - window
        while first <= last:
            middle = (first + last) // 2
            row = await self._connection.message(self._intake, middle)
            if row is None or row.at < before:  # one that is not there any more is older
                found_one, first = middle, middle + 1
            else:
                last = middle - 1
        return found_one

    def _lane(self, name: str) -> tuple[str, ...]:
        return ("lane", str(self.number), token(name))


def _packed(flush: Flush) -> bytes:
    """A flush as it is published. In a thread, so with a compressor of its own: one serves one thread at a time."""
    return zstandard.ZstdCompressor(level=1).compress(encode_flush(flush))

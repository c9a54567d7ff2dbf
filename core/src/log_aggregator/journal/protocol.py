"""What the service asks of a journal. Nothing outside this folder knows what a journal keeps its rows in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from log_aggregator.errors import KeyReusedError, LogAggregatorError
from log_aggregator.journal.rows import RowContent
from log_aggregator.model.aggregate import Flush, Position

MERGE_AT = 8
"""Waiting flushes beyond which a journal is asked to merge neighbors."""


class JournalError(LogAggregatorError):
    """The journal cannot be written or read now, such as a full disk or servers out of reach. Nothing has changed."""


class SupersededError(JournalError):
    """A flush does not follow the newest one: another process has sealed since. What it covers must not be stored."""


class TooLargeError(JournalError):
    """What was to be written is longer than the journal takes in one piece: it never can be. Nothing has changed."""


class Identity(NamedTuple):
    """Who seals the flushes of a partition: the instance for ever, the epoch of its chain of sequences."""

    instance: str
    epoch: int


class ReaderPosition(NamedTuple):
    """Where a reader of a plugin stands: `name` tells its readers apart, `value` is the plugin's own."""

    plugin: str
    name: str
    value: bytes


class ReaderPositions:
    """The last durable position of each reader, in memory. A journal fills it when it is opened."""

    def __init__(self, durable: Iterable[ReaderPosition] = ()) -> None:
        self._durable = {(plugin, name): value for plugin, name, value in durable}

    def note(self, position: ReaderPosition) -> None:
        """Note that a position is durable."""
        self._durable[position.plugin, position.name] = position.value

    def get(self, plugin: str, name: str) -> bytes | None:
        """The last durable position of a reader; `None` before the first."""
        return self._durable.get((plugin, name))


class Entry(NamedTuple):
    """What one append asks for. `payload` is `None` when the records are not to be kept.

    With a `key`, see `client_key`, the append happens once: the same key and digest again is a duplicate.
    `position` is written in the same transaction, for a duplicate too: its records are there already.
    """

    payload: bytes | None
    accepted: int
    key: str | None = None
    digest: bytes = b""
    position: ReaderPosition | None = None


class Appended(NamedTuple):
    """What became of an entry: its position, 0 when nothing was kept; of a duplicate, what was accepted back then."""

    position: int
    accepted: int
    duplicate: bool = False


class LaneState(NamedTuple):
    """How far a lane has come: `cursor` is the sequence it is done with, `stored` what its sink holds.

    `stored` is `START` for a new sink and `None` after flushes were dropped; `lost` counts their logs.
    """

    cursor: int
    stored: Position | None
    lost: int


class Waiting(NamedTuple):
    """What a lane still has before it."""

    flushes: int
    groups: int
    logs: int
    oldest: int | None


class Stand(NamedTuple):
    """How far a partition has come: the sequence of the newest flush, and up to where flushes cover the intake."""

    sequence: int
    upto: int


class Partition(Protocol):
    """Acknowledged records in one order, the flushes that were sealed from them, and each lane's place in those.

    Every method raises `JournalError` when the journal cannot be written or read.
    """

    @property
    def identity(self) -> Identity:
        """Part of every flush that is sealed here."""

    async def stand(self) -> Stand:
        """How far it has come: 0 and 0 before the first flush."""

    async def read(self, after: int, most: int) -> list[tuple[int, RowContent]]:
        """The next rows after a position that no flush covers, at most `most`, in order: (position, what it holds).

        Never steps over a row that is lost without a word: that raises, or was said in `damage`.
        """

    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        """Keep a flush and give up the rows up to `watermark`, in one step: both happen or neither.

        `keep` is false when no sink takes flushes: only the rows are given up then. Raises `SupersededError` when the
        flush's sequence does not follow the newest one, `TooLargeError` when the flush is too long for this journal,
        and what `encode_flush` raises when it cannot be written.
        """

    async def open_lane(self, name: str) -> LaneState:
        """The state of a lane; a new one starts behind the newest flush."""

    async def after(self, cursor: int) -> Flush | None:
        """The first flush after a sequence, its `previous` as it was sealed. Moves no lane."""

    async def advance(self, name: str, state: LaneState, lanes: list[str]) -> None:
        """Move a lane, and give up the flushes that every one of `lanes` is done with."""

    async def waiting(self, cursor: int) -> Waiting:
        """What lies after a sequence."""

    async def merge_waiting(self, cursors: list[int], max_samples: int) -> int:
        """Merge neighbors that no lane at `cursors` has begun with; how many became one. A journal may merge none."""


class Journal(Protocol):
    """What is acknowledged and not yet stored, and what plugins keep. One process has it open."""

    @property
    def partition(self) -> Partition:
        """The partition whose records this process aggregates."""

    @property
    def positions(self) -> ReaderPositions:
        """Where receivers stand: filled with what was durable at the last end, however it came."""

    @property
    def damage(self) -> str:
        """What was found damaged at the start and what of it is lost; empty when nothing was."""

    @property
    def problem(self) -> str:
        """Why what is appended from now on may be lost; empty as a rule. Nothing is acknowledged meanwhile."""

    @property
    def failure(self) -> str:
        """Why the last write failed; empty again once something was written."""

    @property
    def commits(self) -> int:
        """Writes since the start; several appends may share one."""

    @property
    def commit_seconds(self) -> float:
        """Seconds that they took."""

    def append(self, entries: list[Entry]) -> asyncio.Future[list[Appended | KeyReusedError]]:
        """Append entries in order; the future has their results once all are durable.

        Positions grow. A reused key is answered in its place and costs no other entry. The future fails with
        `JournalError` when nothing was appended, or when the outcome is not known.
        """

    async def probe(self) -> None:
        """Write something that changes nothing. Raises `JournalError` when the journal cannot be written."""

    async def used_bytes(self) -> int:
        """Bytes that its rows take."""

    async def load_state(self, plugin: str, name: str) -> bytes | None:
        """The bytes that a plugin keeps under a name. Raises `JournalError`."""

    async def save_state(self, plugin: str, name: str, value: bytes) -> None:
        """Keep bytes in place of those before; durable once this returns. Raises `JournalError`."""


class SharedPartition(Partition, Protocol):
    """A partition of a journal that several processes have open. It is read for ever, by whoever owns it."""

    async def newest(self) -> int:
        """The position of its newest row, 0 before the first."""


class SharedJournal(Journal, Protocol):
    """A journal that several processes have open: what one appends, the owner of its partition reads and aggregates.

    Ownership saves work and decides nothing: two may own a partition at once, and then `seal` supersedes one.
    """

    @property
    def degraded(self) -> str:
        """What it lacks to survive the loss of a machine now; empty when nothing."""

    @property
    def remark(self) -> str:
        """What is not proved of it; empty when nothing."""

    @property
    def member(self) -> str:
        """The name of this process among those that have the journal open."""

    @property
    def partition_names(self) -> list[str]:
        """All partitions, whoever owns them."""

    @property
    def runs_once(self) -> bool:
        """Whether this is the member that has the plugins of which there is one in the whole cluster."""

    async def load_state_of_all(self, plugin: str, name: str) -> bytes | None:
        """As `load_state`, of a plugin of which there is one in the whole cluster: any member reads it."""

    async def save_state_of_all(self, plugin: str, name: str, value: bytes) -> None:
        """As `save_state`, for any member to go on with."""

    async def fits(self, payload: bytes) -> bool:
        """Whether a row of this payload can be written. `append` raises `TooLargeError` for one that cannot."""

    def answer(self, answer: Callable[[str, bytes], Awaitable[bytes]]) -> AbstractAsyncContextManager[None]:
        """Answer what other members ask, (question, argument), while inside the block."""

    async def ask_others(self, question: str, argument: bytes, deadline: float) -> list[bytes]:
        """What the other living members answer; one that is silent for `deadline` seconds is left out."""

    def owned(self) -> AsyncIterator[frozenset[str]]:
        """The names of the partitions that this process owns: once it is known, and after each change, for ever."""

    def partition_of(self, name: str) -> SharedPartition:
        """A partition; each call makes a new view of it, which knows nothing of what others sealed."""


def shared(journal: Journal) -> SharedJournal | None:
    """The journal, if several processes may have it open; `None` when this process alone has it."""
    return cast("SharedJournal", journal) if hasattr(journal, "owned") else None


class JournalPlace(NamedTuple):
    """Which process opens a journal: worker `worker` of `workers`, the number 0 first.

    `data_dir` is this worker's directory, which it has locked; `max_keys` is `IDEMPOTENCY_KEYS`.
    """

    data_dir: Path
    max_keys: int
    worker: int = 0
    workers: int = 1


class JournalPlugin(Protocol):
    """What an entry point of the group `log_aggregator.journals` names: a class with a pydantic `Config`.

    It is made with its options of `[journal]` in plugins.toml: `__init__(self, config)`.
    """

    def open(self, place: JournalPlace) -> AbstractAsyncContextManager[Journal]:
        """Open the journal; leaving closes it. Raises `ConfigError` when it cannot be used."""

    async def check(self) -> list[str]:
        """What `log-aggregator check` shows of it, a line each. Raises `ConfigError` when it could not be opened."""

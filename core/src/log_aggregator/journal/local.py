"""The embedded journal: one SQLite file in the data directory, written by one thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict

from log_aggregator.errors import ConfigError, KeyReusedError
from log_aggregator.journal.database import OpenJournal, lock_directory, open_journal, touch, used_bytes
from log_aggregator.journal.intake import Intake
from log_aggregator.journal.outbox import Outbox
from log_aggregator.journal.plugin_state import read_state, write_state
from log_aggregator.journal.positions import read_positions
from log_aggregator.journal.protocol import (
    Appended,
    Entry,
    Identity,
    JournalPlace,
    LaneState,
    ReaderPositions,
    Stand,
    Waiting,
)
from log_aggregator.journal.rows import RowContent
from log_aggregator.journal.writer import Writer
from log_aggregator.model.aggregate import Flush
from log_aggregator.storekit.watch import FileWatch


@asynccontextmanager
async def sqlite_journal(data_dir: Path, max_keys: int) -> AsyncIterator[SqliteJournal]:
    """Open (or create) the journal of a data directory; leaving finishes what waits and closes it.

    `max_keys`: idempotency keys of each kind that are remembered. Raises `ConfigError` when the directory cannot be
    used or another service uses it.
    """
    async with AsyncExitStack() as stack:
        opened = await _opened(data_dir)
        stack.callback(opened.lock.close)
        journal = SqliteJournal(opened, max_keys)
        stack.push_async_callback(asyncio.to_thread, journal.writer.close)
        await journal.load()
        yield journal


async def _opened(data_dir: Path) -> OpenJournal:
    """Open the file. Cancelled, wait for the thread, which nothing can stop, and give the lock back."""
    opening = asyncio.create_task(asyncio.to_thread(open_journal, data_dir))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        await asyncio.wait([opening])
        if opening.exception() is None:
            opening.result().connection.close()
            opening.result().lock.close()
        raise


def claim(data_dir: Path) -> IO[str]:
    """Lock a directory whose service keeps its journal elsewhere; closing the file ends that.

    Raises `ConfigError` when it cannot be used, another service uses it, or an embedded journal in it holds logs.
    """
    path = data_dir / "journal.sqlite3"
    try:
        lock = lock_directory(data_dir)
        left = _left_in(path) if path.exists() else 0
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"DATA_DIR {data_dir}: cannot be used: {error}") from error
    if left:
        lock.close()
        raise ConfigError(
            f"{path}: {left} rows and flushes wait in the embedded journal; start and stop the service once without "
            "[journal], so that they are stored, or move the file away"
        )
    return lock


def _left_in(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        query = "SELECT (SELECT count(*) FROM intake) + (SELECT count(*) FROM outbox)"
        return int(connection.execute(query).fetchone()[0])


class SqlitePlugin:
    """The journal of `kind = "sqlite"`: a `JournalPlugin` without options."""

    class Config(BaseModel):
        """No options: the file lies in `DATA_DIR`."""

        model_config = ConfigDict(extra="forbid")

    def __init__(self, config: Config) -> None:
        self._config = config

    def open(self, place: JournalPlace) -> AbstractAsyncContextManager[SqliteJournal]:
        """Open the journal in the directory."""
        return sqlite_journal(place.data_dir, place.max_keys)

    async def check(self) -> list[str]:
        """Nothing to say: every start mends what is damaged."""
        return []


class SqliteJournal:
    """Implements `Journal`. `writer`, `intake` and `outbox` are its parts, for whoever tests it."""

    def __init__(self, opened: OpenJournal, max_keys: int) -> None:
        self.writer = Writer(opened.connection, FileWatch(opened.path))
        self.intake = Intake(max_keys)
        self.outbox = Outbox()
        self.partition = SqlitePartition(opened.identity, self.writer, self.intake, self.outbox)
        self.positions = ReaderPositions()
        self.damage = opened.damage

    async def load(self) -> None:
        """Read where receivers stand."""
        self.positions = ReaderPositions(await self.writer.submit(read_positions))

    @property
    def problem(self) -> str:
        """See `Journal.problem`: the files were removed."""
        return self.writer.problem

    @property
    def failure(self) -> str:
        """See `Journal.failure`."""
        return self.writer.failure

    @property
    def commits(self) -> int:
        """See `Journal.commits`."""
        return self.writer.commits

    @property
    def commit_seconds(self) -> float:
        """See `Journal.commit_seconds`."""
        return self.writer.commit_seconds

    def append(self, entries: list[Entry]) -> asyncio.Future[list[Appended | KeyReusedError]]:
        """See `Journal.append`: one transaction."""
        return self.writer.submit(lambda connection: self.intake.append(connection, entries))

    async def probe(self) -> None:
        """See `Journal.probe`."""
        await self.writer.submit(touch)

    async def used_bytes(self) -> int:
        """See `Journal.used_bytes`."""
        return await self.writer.submit(used_bytes)

    async def load_state(self, plugin: str, name: str) -> bytes | None:
        """See `Journal.load_state`."""
        return await self.writer.submit(lambda connection: read_state(connection, plugin, name))

    async def save_state(self, plugin: str, name: str, value: bytes) -> None:
        """See `Journal.save_state`."""
        await self.writer.submit(lambda connection: write_state(connection, plugin, name, value))


class SqlitePartition:
    """Implements `Partition`: each call is a transaction. What a flush covers is deleted, so `upto` is always 0."""

    def __init__(self, identity: Identity, writer: Writer, intake: Intake, outbox: Outbox) -> None:
        self.identity = identity
        self._writer = writer
        self._intake = intake
        self._outbox = outbox

    async def stand(self) -> Stand:
        """See `Partition.stand`."""
        return Stand(await self._writer.submit(self._outbox.last_sequence), 0)

    async def read(self, after: int, most: int) -> list[tuple[int, RowContent]]:
        """See `Partition.read`."""
        return await self._writer.submit(lambda connection: list(self._intake.read(connection, after, most)))

    async def seal(self, flush: Flush, watermark: int, *, keep: bool) -> None:
        """See `Partition.seal`."""

        def write(connection: sqlite3.Connection) -> None:
            self._outbox.seal(connection, flush)
            self._intake.trim(connection, watermark)
            if not keep:
                self._outbox.drop_all(connection)

        await self._writer.submit(write)

    async def open_lane(self, name: str) -> LaneState:
        """See `Partition.open_lane`."""
        return await self._writer.submit(lambda connection: self._outbox.open_lane(connection, name))

    async def after(self, cursor: int) -> Flush | None:
        """See `Partition.after`."""
        return await self._writer.submit(lambda connection: self._outbox.after(connection, cursor))

    async def advance(self, name: str, state: LaneState, lanes: list[str]) -> None:
        """See `Partition.advance`."""
        await self._writer.submit(lambda connection: self._outbox.advance(connection, name, state, lanes))

    async def waiting(self, cursor: int) -> Waiting:
        """See `Partition.waiting`."""
        return await self._writer.submit(lambda connection: self._outbox.waiting(connection, cursor))

    async def merge_waiting(self, cursors: list[int], max_samples: int) -> int:
        """See `Partition.merge_waiting`."""
        return await self._writer.submit(lambda c: self._outbox.merge_waiting(c, cursors, max_samples))

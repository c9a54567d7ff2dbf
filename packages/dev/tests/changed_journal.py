"""The embedded journal with parts that can be changed, and how it is opened: broken journals are made of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from log_aggregator.journal.database import open_journal
from log_aggregator.journal.local import SqliteJournal, SqlitePartition


class BrokenPartition:
    """The embedded journal's partition; a fault overrides what it does wrong."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.good: SqlitePartition = journal.partition
        self.journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self.good, name)


class BrokenJournal(SqliteJournal):
    """The embedded journal; a fault overrides what it does wrong, or has another partition."""

    parts: ClassVar[type[BrokenPartition]] = BrokenPartition
    finds = ""

    async def load(self) -> None:
        await super().load()
        self.partition = self.parts(self)  # type: ignore[assignment]


@asynccontextmanager
async def opened(journal: type[SqliteJournal], directory: Path) -> AsyncIterator[Any]:
    """A journal of this class in a directory."""
    async with AsyncExitStack() as stack:
        files = await asyncio.to_thread(open_journal, directory)
        stack.callback(files.lock.close)
        one = journal(files, 1000)
        stack.push_async_callback(asyncio.to_thread, one.writer.close)
        await one.load()
        yield one

"""What every check of a journal needs: opening it, a crash, and entries and flushes to write."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from log_aggregator.errors import KeyReusedError
from log_aggregator.journals import Appended, Entry, Journal, ReaderPosition, RowContent, encode_records
from log_aggregator.model.aggregate import Flush, Position
from log_aggregator.model.sent_aggregates import SentAggregates
from log_aggregator_dev.factories import make_aggregate, make_flush, make_record
from log_aggregator_dev.sink_suite import NotSupported, skip


class JournalSuite:
    """What a journal's author says about the journal. See `JournalContract`."""

    deadline = 60.0
    """Seconds for one check."""

    def make_journal(self, directory: Path) -> contextlib.AbstractAsyncContextManager[Journal]:
        """The journal of this directory, opened inside the block: the same directory means the same journal.

        Required: without it, the checks fail and say what is missing.
        """
        raise NotImplementedError(f"{type(self).__name__}.make_journal(self, directory) must return the journal")

    def around(self, directory: Path) -> contextlib.AbstractAsyncContextManager[Any]:
        """What a check needs around it, in the same event loop, such as a server. Optional."""
        return contextlib.nullcontext()

    async def crash(self, directory: Path) -> Path:
        """Where the journal opens as if the process had been killed now. Optional: a copy of the directory.

        A journal that keeps nothing in the directory returns the directory itself.
        """
        copy = directory.with_name(f"{directory.name}-after")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(directory, copy)
        return copy

    async def lose(self, directory: Path, position: int) -> None:
        """Damage or remove the row at a position of a closed journal. Optional: the check is skipped."""
        raise NotSupported("this suite says no `lose`")

    async def forget(self, directory: Path) -> None:
        """Make the intake of a closed journal anew, so that it numbers from 1. Optional: the check is skipped."""
        raise NotSupported("this suite says no `forget`")

    @contextlib.asynccontextmanager
    async def after_a_crash(self, directory: Path) -> AsyncIterator[Journal]:
        """The journal as a process that starts now finds it."""
        async with self.make_journal(await self.crash(directory)) as journal:
            yield journal

    def check(self, directory: Path, scenario: Callable[[], Awaitable[None]]) -> None:
        """Run one check in an event loop of its own, within the deadline."""

        async def limited() -> None:
            async with asyncio.timeout(self.deadline), self.around(directory):
                await scenario()

        try:
            asyncio.run(limited())
        except NotSupported as reason:
            skip(str(reason))


def entry(*messages: str, key: str | None = None, digest: bytes = b"", **more: Any) -> Entry:
    """An entry of records with these messages; `source` is theirs, `position` the entry's."""
    records = [make_record(message, source=more.get("source", "app")) for message in messages]
    return Entry(encode_records(records), len(records), key, digest, more.get("position"))


def reader_at(value: bytes) -> ReaderPosition:
    """A reader's position."""
    return ReaderPosition("files", "/var/log/app.log", value)


async def appended(journal: Journal, *entries: Entry) -> list[Appended]:
    """What became of entries, none of which is refused."""
    results = await journal.append(list(entries))
    refused = [result for result in results if isinstance(result, KeyReusedError)]
    assert not refused, "an entry was refused whose key came with the same digest, or with none before"
    return [result for result in results if isinstance(result, Appended)]


async def rows(journal: Journal, most: int = 1000) -> list[tuple[int, str]]:
    """Position and message of every record that no flush covers, read at most so many rows at a time.

    Of aggregates that another service sent their patterns.
    """
    position, found = (await journal.partition.stand()).upto, []
    while some := await journal.partition.read(position, most):
        assert len(some) <= most, f"{len(some)} rows were read, at most {most} were asked for"
        for position, content in some:
            found += [(position, text) for text in _texts(content)]
    return found


def _texts(content: RowContent) -> list[str]:
    if isinstance(content, SentAggregates):
        return [aggregate.pattern for aggregate in content.aggregates]
    return [record.message for record in content]


async def messages(journal: Journal) -> list[str]:
    """The messages of every record that no flush covers, in order."""
    return [message for _, message in await rows(journal)]


async def next_flush(journal: Journal, logs: int = 1, pattern: str = "p", **fields: Any) -> Flush:
    """The flush that follows the newest one."""
    instance, epoch = journal.partition.identity
    position = Position(epoch, (await journal.partition.stand()).sequence + 1)
    made = {"instance": instance, "position": position, "previous": None, **fields}
    return make_flush([make_aggregate(pattern, logs)], **made)


async def seal(journal: Journal, watermark: int = 0, logs: int = 1, pattern: str = "p") -> Flush:
    """Seal the next flush, which covers the rows up to `watermark`."""
    flush = await next_flush(journal, logs, pattern)
    await journal.partition.seal(flush, watermark, keep=True)
    return flush


async def waiting_flushes(journal: Journal, cursor: int = 0) -> list[Flush]:
    """Every flush after a sequence, in order."""
    found: list[Flush] = []
    while (flush := await journal.partition.after(cursor)) is not None:
        assert flush.position.sequence > cursor, "a flush came again that lies before the cursor"
        found.append(flush)
        cursor = flush.position.sequence
    return found


def totals(flushes: Sequence[Flush]) -> dict[str, int]:
    """How many logs each pattern stands for."""
    found: dict[str, int] = {}
    for row in (row for flush in flushes for row in flush.aggregates):
        found[row.pattern] = found.get(row.pattern, 0) + row.count
    return found


async def at_every_wait(work: Coroutine[Any, Any, None], look: Callable[[], Awaitable[None]]) -> None:
    """Run `work`, and `look` each time that what it waited for is done: where a process may be killed."""
    while True:
        try:
            waits_for = work.send(None)
        except StopIteration:
            return
        if waits_for is None:
            await asyncio.sleep(0)
        else:
            waits_for._asyncio_future_blocking = False  # as a task does with the future that it is handed
            await asyncio.wait([waits_for])
        await look()

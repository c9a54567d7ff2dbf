"""The journal: partitions, what is kept beside them, and the tasks that keep it in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from log_aggregator.journals import (
    Appended,
    Entry,
    JournalError,
    KeyReusedError,
    ReaderPositions,
    SupersededError,
    TooLargeError,
)
from log_aggregator_jetstream.asking import answering, ask_each
from log_aggregator_jetstream.config import JetstreamConfig
from log_aggregator_jetstream.connection import Connection
from log_aggregator_jetstream.intake import Intake
from log_aggregator_jetstream.kept import Kept, token
from log_aggregator_jetstream.members import Members
from log_aggregator_jetstream.partition import JetstreamPartition
from log_aggregator_jetstream.streams import Names, found, missing_replicas

LOOK_EVERY = 5.0
"""Seconds between two looks at the replicas and the sizes of all streams."""

log = logging.getLogger(__name__)


class JetstreamJournal:
    """Implements `SharedJournal`."""

    damage = problem = ""

    def __init__(
        self,
        connection: Connection,
        names: Names,
        config: JetstreamConfig,
        partitions: list[JetstreamPartition],
    ) -> None:
        self._connection = connection
        self._names = names
        self._config = config
        self._partitions = {str(one.number): one for one in partitions}
        self.member = config.member
        self.partition_names = list(self._partitions)
        self.runs_once = "cluster" in config.roles
        self._kept = Kept(connection, names)
        self._intake = Intake(connection, names, config.partitions, config.member, config.max_bytes)
        self.members = Members(connection, names, config.member, owns="aggregate" in config.roles)
        self._takes_in = "intake" in config.roles
        self._bytes = 0
        self._bytes_since = 0
        self.positions = ReaderPositions()
        self.failure = ""
        self.degraded = ""
        self.remark = ""
        self.commits = 0
        self.commit_seconds = 0.0

    @property
    def partition(self) -> JetstreamPartition:
        """The first partition: all there is of a log with one."""
        return self._partitions["0"]

    def partition_of(self, name: str) -> JetstreamPartition:
        """See `SharedJournal.partition_of`."""
        return self._partitions[name].view()

    def answer(self, answer: Callable[[str, bytes], Awaitable[bytes]]) -> AbstractAsyncContextManager[None]:
        """See `SharedJournal.answer`."""
        return answering(self._connection, self._names.ask(self._config.member), answer)

    async def ask_others(self, question: str, argument: bytes, deadline: float) -> list[bytes]:
        """See `SharedJournal.ask_others`."""
        others = sorted(self.members.all - {self._config.member})
        subjects = [self._names.ask(member) for member in others]
        return await ask_each(self._connection, subjects, question, argument, deadline)

    def owned(self) -> AsyncIterator[frozenset[str]]:
        """See `SharedJournal.owned`."""
        return self.members.changes(self._partitions)

    def append(self, entries: list[Entry]) -> asyncio.Future[list[Appended | KeyReusedError]]:
        """See `Journal.append`: each entry is a message."""
        return asyncio.create_task(self._append(entries))

    async def _append(self, entries: list[Entry]) -> list[Appended | KeyReusedError]:
        if not self._takes_in:
            raise JournalError("this member takes no logs in: its roles in [journal] have no intake")
        started = time.perf_counter()
        try:
            results = await self._intake.append(entries)
        except TooLargeError:  # the row is at fault, not the journal
            raise
        except JournalError as error:
            self.failure = str(error)
            raise
        finally:
            self.commits += 1
            self.commit_seconds += time.perf_counter() - started
        self.failure = ""
        return results

    async def fits(self, payload: bytes) -> bool:
        """See `SharedJournal.fits`."""
        return await self._intake.fits(payload)

    async def probe(self) -> None:
        """See `Journal.probe`."""
        try:
            await self._kept.put(b"", "probe")
        except JournalError as error:
            self.failure = str(error)
            raise
        self.failure = ""

    async def used_bytes(self) -> int:
        """See `Journal.used_bytes`: what the streams held at the last look, and what was appended here since."""
        return self._bytes + self._intake.appended_bytes - self._bytes_since

    async def load_state(self, plugin: str, name: str) -> bytes | None:
        """See `Journal.load_state`: this member's own."""
        value = await self._kept.load("state", token(self._config.member, plugin, name))
        return None if value is None else value.body

    async def save_state(self, plugin: str, name: str, value: bytes) -> None:
        """See `Journal.save_state`."""
        await self._kept.put(value, "state", token(self._config.member, plugin, name))

    async def load_state_of_all(self, plugin: str, name: str) -> bytes | None:
        """See `SharedJournal.load_state_of_all`. What this member kept by itself counts before there is any."""
        value = await self._kept.load("state-of-all", token(plugin, name))
        return await self.load_state(plugin, name) if value is None else value.body

    async def save_state_of_all(self, plugin: str, name: str, value: bytes) -> None:
        """See `SharedJournal.save_state_of_all`."""
        await self._kept.put(value, "state-of-all", token(plugin, name))

    async def look(self) -> None:
        """See which replicas are missing, and how large the streams are."""
        numbers = range(self._config.partitions)
        streams = [self._names.kept, *(self._names.intake(one) for one in numbers)]
        streams += [self._names.outbox(one) for one in numbers]
        appended, size, missing = self._intake.appended_bytes, 0, []
        for stream in streams:
            info = await found(self._connection, stream)
            if info is None:
                missing.append(f"there is no stream {stream}")
                continue
            size += info.state.bytes
            if lacks := missing_replicas(info, self._config.replicas):
                missing.append(lacks)
        self._bytes, self._bytes_since = size, appended
        more = f", and {len(missing) - 1} streams more" if len(missing) > 1 else ""
        self.degraded = f"{missing[0]}{more}: the loss of another machine is not covered now" if missing else ""

    async def keep_looking(self) -> None:
        """Look now and then, for ever."""
        while True:
            try:
                await self.look()
            except JournalError as error:
                self.degraded = str(error)
            await asyncio.sleep(LOOK_EVERY)

    async def keep_purging(self) -> None:
        """Purge the partitions that this member owns, now and then, for ever."""
        while True:
            await asyncio.sleep(min(30.0, self._config.window / 4))
            for name in self.members.owned(self._partitions):
                try:
                    await self._partitions[name].purge(self._config.window)
                except SupersededError:
                    continue  # another owner is at it
                except JournalError as error:
                    log.warning("stored logs cannot be purged", extra={"partition": name, "error": str(error)})

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The tasks run until the block is left; the others learn then that this member is gone."""
        work = {"members": self.members.run, "look": self.keep_looking, "purge": self.keep_purging}
        tasks = [asyncio.create_task(run(), name=f"jetstream {name}") for name, run in work.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.members.leave()

"""The plugin: reads in a thread of its own, and commits each piece together with the place that it ends at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from log_aggregator import ConfigError, Record, Reject, Service, hookimpl
from log_aggregator.receivers import BadLogError, SentFields, ingest_when_possible, record_of_text
from log_aggregator_files.config import FilesConfig
from log_aggregator_files.names import DOCKER, KUBERNETES, origin_of
from log_aggregator_reader import Follower, Journal, Limits, Piece
from log_aggregator_reader import Record as FileRecord

PAUSE = 0.2
"""Seconds between two looks at files that had nothing new."""

JOURNAL = "journald"

Result = TypeVar("Result")


class FilesReceiver:
    """Follows files. What was read is committed with the place in the file: nothing is lost, nothing comes twice."""

    Config = FilesConfig
    api = ">=1,<2"
    instances = "node"

    def __init__(self, config: FilesConfig) -> None:
        self._patterns = [*config.paths, *([DOCKER] * config.docker), *([KUBERNETES] * config.kubernetes)]
        if not self._patterns and not config.journald:
            raise ConfigError('paths, docker, kubernetes, journald: expected one, such as paths = ["/var/log/*.log"]')
        self._config = config
        self._logs = self._empty = self._rejected = 0
        self._problem: str | None = None

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Follow as soon as logs may be accepted."""

        async def files() -> None:
            await self._follow_files(service)

        async def journal() -> None:
            await self._follow_journal(service)

        if self._patterns:
            service.run("files", files)
        if self._config.journald:
            service.run("journal", journal)
        service.add_stats("files", self.stats)
        service.add_health_check("files", self._health)
        yield

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows: logs read, without text, and refused by a stage."""
        config = self._config
        kinds = [name for name in ("docker", "kubernetes", "journald") if getattr(config, name)]
        return {"reads": [*config.paths, *kinds], "logs": self._logs, "empty": self._empty, "rejected": self._rejected}

    async def _health(self) -> str | None:
        return self._problem

    def _complain(self, problem: str) -> None:
        self._problem = problem

    async def _follow_files(self, service: Service) -> None:
        config = self._config
        follower = Follower(
            self._patterns,
            service.position,
            is_joined=not config.lines,
            from_end=config.start == "end",
            limits=Limits(records=config.batch, idle=config.idle),
            on_problem=self._complain,
        )

        def next_piece() -> tuple[Piece, list[Record]] | None:
            piece = follower.read()
            return None if piece is None else (piece, self._records_of(piece))

        async with _thread("files", follower.close) as call:
            while True:
                found = await call(next_piece)
                if found is None:
                    await asyncio.sleep(PAUSE)
                    continue
                piece, records = found
                await self._ingest(service, records, (piece.path, piece.place))

    async def _follow_journal(self, service: Service) -> None:
        after = (service.position(JOURNAL) or b"").decode()
        journal = Journal(after, follow=True, arguments=["--lines=0"] * (self._config.start == "end" and not after))

        def next_entries() -> tuple[str, list[Record]] | None:
            entries = journal.read(self._config.batch, PAUSE)
            if not entries:
                return None
            logs = [entry.log for entry in entries if entry.log]
            return entries[-1].cursor, [record for log in logs if (record := self._record_of_entry(log))]

        async with _thread("journal", journal.close) as call:
            while True:
                found = await call(next_entries)
                if found is not None:
                    cursor, records = found
                    await self._ingest(service, records, (JOURNAL, cursor.encode()))

    async def _ingest(self, service: Service, records: list[Record], position: tuple[str, bytes]) -> None:
        """Commit records with the place after them; when a stage refuses them all, the place alone."""
        try:
            receipt = await ingest_when_possible(service, records, position=position)
            self._logs += receipt.accepted
            self._rejected += len(receipt.rejected)
        except Reject:
            self._rejected += len(records)
            await ingest_when_possible(service, [], position=position)

    def _records_of(self, piece: Piece) -> list[Record]:
        return [record for one in piece.records if (record := self._record_of(piece.path, one))]

    def _record_of(self, path: str, one: FileRecord) -> Record | None:
        origin = origin_of(path)
        defaults = SentFields(metadata={**origin.metadata, **({"stream": one.stream} if one.stream else {})})
        if source := self._config.source or origin.source:
            defaults["source"] = source
        if self._config.level:
            defaults["level"] = self._config.level
        if one.time:
            defaults["timestamp"] = one.time
        try:
            return record_of_text(one.text.decode("utf-8", "backslashreplace"), defaults=defaults)
        except BadLogError:
            self._empty += 1
            return None

    def _record_of_entry(self, log: dict[str, Any]) -> Record | None:
        try:
            return Record.of(**log)
        except BadLogError:
            self._empty += 1
            return None


@asynccontextmanager
async def _thread(
    name: str, close: Callable[[], None]
) -> AsyncIterator[Callable[[Callable[[], Result]], asyncio.Future[Result]]]:
    """One thread for what blocks; `close` is called in it at the end, after the call that is under way."""
    loop = asyncio.get_running_loop()
    executor = ThreadPoolExecutor(1, thread_name_prefix=f"log-aggregator-{name}")
    try:
        yield lambda work: loop.run_in_executor(executor, work)
    finally:
        executor.submit(close)
        executor.shutdown(wait=False)

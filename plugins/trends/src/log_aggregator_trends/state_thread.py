"""Runs the state file's blocking calls in one thread, so that disk I/O does not block the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from log_aggregator_trends.state_file import StateFile

T = TypeVar("T")

log = logging.getLogger(__name__)


class StateThread:
    """Runs calls on a `StateFile` in order in a thread of its own."""

    def __init__(self, file: StateFile, pool: ThreadPoolExecutor) -> None:
        self._file = file
        self._pool = pool

    @classmethod
    async def open(cls, path: Path) -> StateThread:
        """Open the file. Raises `sqlite3.Error` when it cannot be created."""
        pool = ThreadPoolExecutor(1, thread_name_prefix="trends")
        try:
            file = await asyncio.get_running_loop().run_in_executor(pool, StateFile, path)
        except BaseException:
            pool.shutdown(wait=False)
            raise
        if file.moved_to is not None:
            log.error("trends state file is corrupt; starting without state", extra={"kept_as": file.moved_to.name})
        return cls(file, pool)

    async def run(self, call: Callable[[StateFile], T]) -> T:
        """Run `call` in the thread and return its result; its exceptions are raised here."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, self._file)

    async def close(self) -> None:
        """Close the file after all earlier calls have run."""
        await self.run(StateFile.close)
        self._pool.shutdown(wait=False)

"""The one thread that reads and writes the file, so that the loop never waits for a disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from log_aggregator_trends.saved import Saved

T = TypeVar("T")

log = logging.getLogger(__name__)


class Keeper:
    """Runs calls on `Saved` one after another in its own thread."""

    def __init__(self, saved: Saved, pool: ThreadPoolExecutor) -> None:
        self._saved = saved
        self._pool = pool

    @classmethod
    async def open(cls, path: Path) -> Keeper:
        """Open the file. Raises `sqlite3.Error` when it cannot be made."""
        pool = ThreadPoolExecutor(1, thread_name_prefix="trends")
        try:
            saved = await asyncio.get_running_loop().run_in_executor(pool, Saved, path)
        except BaseException:
            pool.shutdown(wait=False)
            raise
        if saved.set_aside is not None:
            log.error("the trends file cannot be read; watching begins anew", extra={"kept_as": saved.set_aside.name})
        return cls(saved, pool)

    async def ask(self, call: Callable[[Saved], T]) -> T:
        """Run `call` in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, self._saved)

    async def close(self) -> None:
        """Close the file after everything handed in is done."""
        await self.ask(Saved.close)
        self._pool.shutdown(wait=False)

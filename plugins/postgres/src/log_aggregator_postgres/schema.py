"""Whether the tables are there: made when the server first answers, made again when someone dropped them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from log_aggregator.errors import RetryableError
from log_aggregator_postgres.faults import OUT_OF_REACH, explain, retry_within
from log_aggregator_postgres.migrations import migrate
from log_aggregator_postgres.pool import Pool

_log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0
_PATIENCE = 5.0


class Schema:
    """Runs the migrations in the background, for the server may be down and a large table takes its time."""

    def __init__(self, pool: Pool, note_error: Callable[[str], None]) -> None:
        self._pool = pool
        self._note_error = note_error
        self.ready = asyncio.Event()
        self._damaged = False
        self._wanted = asyncio.Event()
        self._tried = asyncio.Condition()
        self._failures = 0
        self._reason = "the schema is being prepared"
        self._retry_within: float | None = None

    async def wait(self) -> None:
        """Return when the schema is ready. Raises `RetryableError` when a try has just failed, or takes long."""
        if self.ready.is_set():
            return
        before = self._failures
        self._wanted.set()
        try:
            async with asyncio.timeout(_PATIENCE), self._tried:
                await self._tried.wait_for(lambda: self.ready.is_set() or self._failures > before)
        except TimeoutError:
            raise self._not_ready() from None
        if not self.ready.is_set():
            raise self._not_ready()

    def _not_ready(self) -> RetryableError:
        return RetryableError(f"PostgreSQL: {self._reason}", retry_within=self._retry_within)

    def is_damaged(self) -> None:
        """A table or column turned out to be missing: make the schema again."""
        self._damaged = True
        self.ready.clear()
        self._wanted.set()

    async def keep(self) -> None:
        """Work until cancelled. A failed try is repeated after a growing pause, or at once when a flush waits."""
        pause = _FIRST_PAUSE
        self._wanted.set()
        while True:
            await self._rest(pause)
            if self.ready.is_set():
                continue
            try:
                ran = await migrate(self._pool, again=self._damaged)
            except Exception as error:  # noqa: BLE001  whatever it is, without a next try no flush is ever stored
                if not isinstance(error, OUT_OF_REACH):
                    _log.exception("preparing the schema failed, it is tried again")
                self._reason, self._retry_within = explain(error), retry_within(error)
                self._note_error(self._reason)
                self._failures += 1
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._tell(ran)
                pause, self._damaged = _FIRST_PAUSE, False
                self.ready.set()
            async with self._tried:
                self._tried.notify_all()

    async def _rest(self, pause: float) -> None:
        """Wait until a flush wants the schema; while it is missing, not longer than the pause."""
        longest = None if self.ready.is_set() else random.uniform(pause / 2, pause)  # noqa: S311  jitter, not a secret
        try:
            async with asyncio.timeout(longest):
                await self._wanted.wait()
        except TimeoutError:
            return
        self._wanted.clear()

    def _tell(self, ran: list[str]) -> None:
        if ran and self._damaged:
            _log.error("the schema was damaged and is repaired; what was in a table that was dropped is lost: %s", ran)
        elif ran:
            _log.info("the schema is new: %s", ran)

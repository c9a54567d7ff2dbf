"""Which instances share the database: each says now and then that it is there, and at its end whether that was clean.

An instance that is silent without a clean stop may have acknowledged logs in its journal that nobody has stored.
"""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import UTC, datetime
from typing import NamedTuple

from log_aggregator.errors import RetryableError
from log_aggregator_postgres.faults import OUT_OF_REACH, explain
from log_aggregator_postgres.pool import Pool

_log = logging.getLogger(__name__)

_LONGEST_PAUSE = 60.0
_STOP_SECONDS = 2.0

_BEAT = "UPDATE flush_progress SET heard_at = now(), stopped_at = NULL WHERE instance = $1"
_STOP = "UPDATE flush_progress SET heard_at = now(), stopped_at = now() WHERE instance = $1"

# An instance of a version without heartbeats has no `heard_at`: whether it is idle or gone is not known.
_SILENT = """
SELECT instance, greatest(heard_at, stored_at) AS heard_at FROM flush_progress
WHERE stopped_at IS NULL AND heard_at IS NOT NULL AND instance <> $1
  AND greatest(heard_at, stored_at) < now() - $2::bigint * interval '1 minute'
ORDER BY 2 DESC LIMIT 100"""


class Silent(NamedTuple):
    """An instance that did not stop cleanly, and when it was heard last."""

    instance: str
    heard_at: datetime

    def __str__(self) -> str:
        """For the log, `/health/db` and a person."""
        since = self.heard_at.astimezone(UTC).isoformat(timespec="seconds")
        return (
            f"instance {self.instance} is silent since {since} and did not stop cleanly: its journal may hold logs "
            f"that are not stored; start it, or forget it with `log-aggregator postgres adopt {self.instance}`"
        )


class Heartbeat:
    """Says that this instance is there, and looks for those that no longer say so."""

    def __init__(self, pool: Pool, instance: str, silent_minutes: int) -> None:
        """With 0 for `silent_minutes` no instance is ever called silent."""
        self._pool = pool
        self._instance = instance
        self._minutes = silent_minutes
        self.silent: list[Silent] = []

    async def run(self, ready: asyncio.Event) -> None:
        """Work until cancelled. An instance that becomes silent is logged once."""
        pause = min(_LONGEST_PAUSE, self._minutes * 20.0) or _LONGEST_PAUSE
        while True:
            await ready.wait()
            try:
                await self.once()
            except (*OUT_OF_REACH, RetryableError) as error:
                _log.info("the heartbeat was not written, it is tried again: %s", explain(error))
            except Exception:  # noqa: BLE001  whatever it is, the next one must come
                _log.exception("the heartbeat failed, it is tried again")
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311  jitter, not a secret

    async def once(self) -> None:
        """Say that this instance is there; find the silent ones."""
        await self._pool.write([(_BEAT, [self._instance])])
        if not self._minutes:
            return
        known = {one.instance for one in self.silent}
        found = await self._pool.fetch(_SILENT, [self._instance, self._minutes])
        self.silent = [Silent(row["instance"], row["heard_at"]) for row in found]
        for one in self.silent:
            if one.instance not in known:
                _log.error("%s", one)

    async def stop(self) -> None:
        """Say that this instance stops and has stored all that it took. Where that cannot be said, it seems silent."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._pool.write([(_STOP, [self._instance])])
        except (*OUT_OF_REACH, RetryableError) as error:
            _log.warning("a clean stop could not be noted in the database: %s", explain(error))

"""Reading PostgreSQL back: the `Store` protocol, and how the database is."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, cast

from log_aggregator.errors import RetryableError
from log_aggregator.store import StoreHealth
from log_aggregator.storekit import Fetch, OnCallQuestions, Write
from log_aggregator_postgres.dialect import DIALECT
from log_aggregator_postgres.heartbeat import Heartbeat
from log_aggregator_postgres.pool import Pool
from log_aggregator_postgres.privileges import missing_privilege

_HEALTH_TIMEOUT = 2.0
_SHOWN = 3


class PostgresStore(OnCallQuestions):
    """Answers from the database, over connections of the sink's pool."""

    def __init__(self, pool: Pool, max_samples: int, heartbeat: Heartbeat) -> None:
        super().__init__(DIALECT, cast("Fetch", pool.fetch), max_samples, cast("Write", pool.write))
        self._pool = pool
        self._heartbeat = heartbeat
        self.last_error = ""
        self.last_error_at: float | None = None
        self.trying_since: int | None = None

    def note_error(self, reason: str) -> None:
        """Remember what went wrong last, for `/health/db`."""
        self.last_error, self.last_error_at = reason, time.time()

    async def health(self) -> StoreHealth:
        """Whether the server answers within 2 s and lets us work, how fast, and what went wrong last."""
        started = time.perf_counter()
        figures: dict[str, Any] = {"engine": f"PostgreSQL {self._pool.server_version}".strip()}
        try:
            async with asyncio.timeout(_HEALTH_TIMEOUT):
                row = (await self._pool.fetch(_HEALTH, []))[0]
                latency = round((time.perf_counter() - started) * 1000, 3)
                missing = await missing_privilege(self._pool)
                logs = 0 if missing else await self._quarantined(made=row["made"])
        except (RetryableError, TimeoutError) as error:
            reason = str(error) or "the server did not answer in time"
            return StoreHealth(reachable=False, detail=reason, figures=figures | self._last())
        if missing:
            return StoreHealth(reachable=False, detail=missing, latency_ms=latency, figures=figures | self._last())
        figures |= {"read_only": row["read_only"], "database_bytes": row["bytes"], "quarantined_logs": logs}
        silent = self._heartbeat.silent
        figures["silent_instances"] = [one.instance for one in silent]
        details = [f"{logs} logs in quarantine: see `log-aggregator postgres quarantine`"] if logs else []
        detail = "; ".join([*details, *map(str, silent[:_SHOWN])])
        return StoreHealth(reachable=True, detail=detail, latency_ms=latency, figures=figures | self._last())

    async def _quarantined(self, *, made: bool) -> int:
        if not made:
            return 0
        return int((await self._pool.fetch("SELECT coalesce(sum(logs), 0) FROM log_quarantine", []))[0][0])

    def _last(self) -> dict[str, Any]:
        at, since = self.last_error_at, self.trying_since
        return {
            "pool": self._pool.figures(),
            "last_error": self.last_error or None,
            "lag_seconds": 0.0 if since is None else round(max(0.0, time.time() - since / 1_000_000), 3),
            "last_error_at": None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
        }


_HEALTH = """
SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS read_only,
       pg_database_size(current_database()) AS bytes, to_regclass('log_quarantine') IS NOT NULL AS made"""

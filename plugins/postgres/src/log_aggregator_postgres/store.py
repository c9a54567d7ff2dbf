"""Reading PostgreSQL back: the `Store` protocol, and how the database is."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from log_aggregator.errors import RetryableError
from log_aggregator.store import (
    AnomalyQuery,
    PatternDetail,
    PatternPage,
    PatternQuery,
    Series,
    SeriesQuery,
    StoreHealth,
)
from log_aggregator.storekit import Fetch, Questions
from log_aggregator_postgres.pool import Pool

_HEALTH_TIMEOUT = 2.0
_ANOMALY = (
    "id", "kind", "state", "tier", "pattern_id", "pattern", "level", "source", "started", "updated", "score",
    "revision", "resolved", "details",
)  # fmt: skip


class PostgresDialect:
    """The SQL of PostgreSQL where databases differ."""

    def moment(self, parameter: str) -> str:
        """Microseconds as timestamptz."""
        return f"('epoch'::timestamptz + {parameter}::bigint * interval '1 microsecond')"

    def micros(self, column: str) -> str:
        """timestamptz as microseconds."""
        return f"(extract(epoch FROM {column}) * 1000000)::bigint"

    def contains(self, column: str, parameter: str) -> str:
        """`strpos` knows no wildcards, so nothing needs escaping."""
        return f"strpos(lower({column}), lower({parameter}::text)) > 0"

    def among(self, column: str, parameter: str) -> str:
        """The list comes as an array."""
        return f"{column} = ANY({parameter}::text[])"

    def list_value(self, values: list[str]) -> list[str]:
        """An array."""
        return values

    def each_tag(self) -> str:
        """The entries of the JSON object."""
        return "CROSS JOIN LATERAL jsonb_each_text(t.tags) AS tag"


class PostgresStore:
    """Answers from the database, over connections of the sink's pool."""

    def __init__(self, pool: Pool, max_samples: int) -> None:
        self._pool = pool
        self._questions = Questions(PostgresDialect(), cast(Fetch, pool.fetch), max_samples)
        self.last_error = ""
        self.last_error_at: float | None = None
        self.trying_since: int | None = None

    def note_error(self, reason: str) -> None:
        """Remember what went wrong last, for `/health/db`."""
        self.last_error, self.last_error_at = reason, time.time()

    async def patterns(self, query: PatternQuery) -> PatternPage:
        """The patterns that match, in the asked order."""
        return await self._questions.patterns(query)

    async def pattern(self, pattern_id: str) -> PatternDetail | None:
        """One pattern by its id or an earlier one; `None` when there is none."""
        return await self._questions.pattern(pattern_id)

    async def series(self, query: SeriesQuery) -> list[Series]:
        """Counts over time."""
        return await self._questions.series(query)

    async def anomalies(self, query: AnomalyQuery) -> list[dict[str, Any]]:
        """Anomalies, newest first."""
        times = ("started", "updated", "resolved")
        micros = PostgresDialect().micros
        columns = ", ".join(f"{micros(name)} AS {name}" if name in times else name for name in _ANOMALY)
        rows = await self._questions.anomalies(query, columns)
        found = [dict(zip(_ANOMALY, row, strict=True)) for row in rows]
        return [anomaly | {"details": msgspec.json.decode(anomaly["details"])} for anomaly in found]

    async def health(self) -> StoreHealth:
        """Whether the server answers within 2 s, how fast, and what went wrong last."""
        started = time.perf_counter()
        figures: dict[str, Any] = {"engine": f"PostgreSQL {self._pool.server_version}".strip()}
        try:
            async with asyncio.timeout(_HEALTH_TIMEOUT):
                row = (await self._pool.fetch(_HEALTH, []))[0]
            latency = round((time.perf_counter() - started) * 1000, 3)
        except (RetryableError, TimeoutError) as error:
            reason = str(error) or "the server did not answer in time"
            return StoreHealth(reachable=False, detail=reason, figures=figures | self._last())
        figures |= {"read_only": row["read_only"], "database_bytes": row["bytes"]}
        return StoreHealth(reachable=True, latency_ms=latency, figures=figures | self._last())

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
       pg_database_size(current_database()) AS bytes"""

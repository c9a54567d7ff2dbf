"""How much room the tables take, by source and pattern, and by age: from a sample where there are many rows."""

from __future__ import annotations

from log_aggregator.storekit.rollup import HOUR
from log_aggregator.storekit.sizes import DAY, DETAILS, RETENTIONS, ROLLUP, Ages, Part, Sizes
from log_aggregator_postgres.pool import Pool

_SAMPLED = 200_000
_DETAILS = " + ".join(
    f"coalesce(pg_column_size(t.{name}), 0)" for name in ("metadata", "sample_messages", "variables", "sample_details")
)
_PARTS = """
SELECT pg_table_size('aggregated_logs'), pg_indexes_size('aggregated_logs'), pg_total_relation_size('pattern_details'),
       pg_total_relation_size('pattern_hours') + pg_total_relation_size('pattern_hours_fresh')
           + pg_total_relation_size('pattern_totals') + pg_total_relation_size('pattern_texts')
           + pg_total_relation_size('pattern_levels') + pg_total_relation_size('source_hours'),
       (SELECT reltuples FROM pg_class WHERE oid = 'aggregated_logs'::regclass)::bigint"""


async def sizes_of(pool: Pool, top: int) -> Sizes:
    """Measure the tables. Raises `RetryableError`."""
    heap, indexes, details, summary, guessed = (await pool.fetch(_PARTS, []))[0]
    percent = 100.0 if guessed <= _SAMPLED else 100.0 * _SAMPLED / guessed
    sample = f"aggregated_logs t TABLESAMPLE SYSTEM ({percent:.6f})"
    row = "pg_column_size(t.*)"
    sums = [f"coalesce(sum({row}) FILTER (WHERE last_seen < now() - interval '{days} days'), 0)::bigint"
            for days in RETENTIONS]  # fmt: skip
    sums.append(f"coalesce(sum({_DETAILS}) FILTER (WHERE last_seen < now() - interval '{DETAILS} hours'), 0)::bigint")
    narrow = f"bucket < now() - interval '{ROLLUP * DAY // HOUR} hours' AND bucket_seconds < {HOUR}"
    sums.append(f"count(*) FILTER (WHERE {narrow})")
    found = (
        await pool.fetch(f"SELECT count(*), coalesce(sum({row}), 0)::bigint, {', '.join(sums)} FROM {sample}", [])  # noqa: S608  only constants and numbers
    )[0]
    rows, whole, *old, detail, thin = found
    factor, scale = 100.0 / percent, (heap + indexes) / max(1, whole)
    hours = (await pool.fetch(
        f"SELECT count(*) FROM pattern_hours WHERE hour < now() - interval '{ROLLUP * DAY // HOUR} hours'", []  # noqa: S608  only constants and numbers
    ))[0][0]  # fmt: skip

    async def largest(column: str) -> list[Part]:
        sql = (
            f"SELECT coalesce({column}, ''), sum({row})::bigint FROM {sample} GROUP BY 1 ORDER BY 2 DESC LIMIT {top:d}"  # noqa: S608  only constants and numbers
        )
        return [Part(name, int(size * scale)) for name, size in await pool.fetch(sql, [])]

    parts = [("rows", heap + indexes), ("details of old rows", details), ("hours and totals", summary)]
    return Sizes(
        [Part(*part) for part in parts],
        int(rows * factor),
        await largest("source"),
        await largest("message_pattern"),
        Ages([int(size * scale) for size in old], int(detail * scale), int(thin * factor), hours),
    )

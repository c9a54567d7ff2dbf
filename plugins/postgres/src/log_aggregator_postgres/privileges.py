"""Whether our role may do its work: said before the first flush fails, with the GRANT that helps."""

from __future__ import annotations

from log_aggregator_postgres.pool import Pool

_TABLES = (
    "aggregated_logs", "flush_progress", "pattern_aliases", "log_anomalies", "log_quarantine",
    "log_aggregator_migrations", "log_marks", "log_triage", "log_triage_history",
    "pattern_details", "pattern_hours", "pattern_hours_fresh", "pattern_totals", "pattern_texts", "pattern_levels",
    "source_hours",
)  # fmt: skip
_NEEDED = ("SELECT", "INSERT", "UPDATE", "DELETE")

_QUESTION = """
SELECT current_user::text AS role, coalesce(current_schema()::text, '') AS schema,
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
       EXISTS (SELECT FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL) AS incomplete,
       (SELECT string_agg(DISTINCT need || ' ON ' || name, ', ')
        FROM unnest($1::text[]) AS name, unnest($2::text[]) AS need
        WHERE to_regclass(name) IS NOT NULL AND NOT has_table_privilege(to_regclass(name), need)) AS refused"""


async def missing_privilege(pool: Pool) -> str:
    """What the role may not do, and what to grant; empty when it may do all. Raises `RetryableError`."""
    row = (await pool.fetch(_QUESTION, [list(_TABLES), list(_NEEDED)]))[0]
    role, schema = row["role"], row["schema"] or "public"
    if row["incomplete"] and not row["may_create"]:
        return (
            f"the role '{role}' may not create tables in the schema '{schema}': "
            f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"
        )
    if row["refused"]:
        return f"the role '{role}' may not use its tables: as their owner, GRANT {row['refused']} TO {role}"
    return ""

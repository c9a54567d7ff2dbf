"""The SQL of PostgreSQL where databases differ."""

from __future__ import annotations

from log_aggregator.model.values import MOST


class PostgresDialect:
    """The SQL of PostgreSQL where databases differ."""

    def moment(self, parameter: str) -> str:
        """Microseconds as timestamptz."""
        return f"('epoch'::timestamptz + {parameter}::bigint * interval '1 microsecond')"

    def micros(self, column: str) -> str:
        """timestamptz as microseconds; `infinity`, and years that no calendar of ours has, at the ends of time."""
        within = f"least(greatest({column}, '0001-01-02'::timestamptz), '9999-12-30'::timestamptz)"
        # greatest() passes over NULL: what has no time would get the earliest one.
        return f"(CASE WHEN {column} IS NOT NULL THEN (extract(epoch FROM {within}) * 1000000)::bigint END)"

    def json(self, column: str) -> str:
        """jsonb comes as text."""
        return column

    def contains(self, column: str, parameter: str) -> str:
        """`strpos` knows no wildcards, so nothing needs escaping."""
        return f"strpos(lower({column}), lower({parameter}::text)) > 0"

    def holds(self, column: str, parameter: str) -> str:
        """jsonb as its text."""
        return f"strpos(lower({column}::text), lower({parameter}::text)) > 0"

    def has_value(self, column: str, key: str, value: str) -> str:
        """The entries of the key's JSON array; CASE keeps the function away from what it cannot take."""
        values = f"{column} -> {key}::text -> 'values'"
        array = f"CASE WHEN jsonb_typeof({values}) = 'array' THEN {values} END"
        return f"EXISTS (SELECT FROM jsonb_array_elements({array}) AS one WHERE one ->> 'value' = {value}::text)"

    def among(self, column: str, parameter: str) -> str:
        """The list comes as an array."""
        return f"{column} = ANY({parameter}::text[])"

    def list_value(self, values: list[str]) -> list[str]:
        """An array."""
        return values

    def unindexed(self, column: str) -> str:
        """The planner has statistics."""
        return column

    def each_tag(self) -> str:
        """The entries of the JSON object; CASE keeps the casts away from what they cannot take."""
        tags = "CASE WHEN jsonb_typeof(t.tags) = 'object' THEN t.tags END"
        count = "CASE WHEN jsonb_typeof(value) = 'number' THEN value::numeric END"
        counts = f"SELECT key, {count} AS value FROM jsonb_each({tags})"  # noqa: S608  only constants
        return f"JOIN LATERAL ({counts}) AS tag ON tag.value BETWEEN 1 AND {MOST}"

    def each_minute(self) -> str:
        """The entries of the JSON array, which is checked as text first: a cast of anything else would fail."""
        minutes = r"CASE WHEN t.minutes ~ '^\[\d{1,16}(,\d{1,16})*\]$' THEN t.minutes::json END"
        counts = (
            "SELECT place - 1 AS key, value::bigint AS value "  # noqa: S608  only constants
            f"FROM json_array_elements_text({minutes}) WITH ORDINALITY AS i(value, place)"
        )
        return f"JOIN LATERAL ({counts}) AS minute ON minute.value > 0"

    def hours(self) -> str:
        """The sums by the hour, and the counts that triggers have noted since they were last added up."""
        columns = "pattern_id, hour, level, source, category, count, first_seen, last_seen"
        return (
            f"(SELECT {columns} FROM pattern_hours UNION ALL "  # noqa: S608  only constants
            f"SELECT {columns} FROM pattern_hours_fresh)"
        )

    def totals(self) -> str:
        """The sums over all time, and the counts that triggers have noted since they were last added up."""
        columns = "pattern_id, level, source, category, count, first_seen, last_seen"
        return (
            f"(SELECT {columns}, NULL::text AS message_pattern FROM pattern_totals UNION ALL "  # noqa: S608  only constants
            f"SELECT {columns}, message_pattern FROM pattern_hours_fresh)"
        )

    def levels(self) -> str:
        """The sums of levels over all time, and the counts that triggers have noted since they were last added up."""
        columns = "pattern_id, level, count, first_seen, last_seen"
        return (
            f"(SELECT {columns}, NULL::text AS message_pattern FROM pattern_levels UNION ALL "  # noqa: S608  only constants
            f"SELECT {columns}, message_pattern FROM pattern_hours_fresh)"
        )

    def source_hours(self) -> str:
        """The sums of sources by the hour, and the counts that triggers have noted since they were last added up."""
        columns = "hour, level, source, count"
        return f"(SELECT {columns} FROM source_hours UNION ALL SELECT {columns} FROM pattern_hours_fresh)"  # noqa: S608  only constants

    def each_id(self, parameter: str) -> str:
        """The list comes as an array."""
        return f"(SELECT unnest({parameter}::text[]) AS id)"

    def any_of(self, column: str, query: str) -> str:
        """As an array: the planner turns no correlated list into an index condition."""
        return f"{column} = ANY(ARRAY({query}))"


DIALECT = PostgresDialect()

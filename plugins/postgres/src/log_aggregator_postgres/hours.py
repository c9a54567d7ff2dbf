"""What triggers noted is added up in `pattern_hours` and the tables of their sums, by one instance at a time."""

from __future__ import annotations

from log_aggregator_postgres.pool import Connection

_KEY = "md5(length(level) || ':' || level || length(source) || ':' || source || category)::uuid"

_ADD_UP = f"""
WITH noted AS (
    DELETE FROM pattern_hours_fresh RETURNING *
), texts AS (
    INSERT INTO pattern_texts
    SELECT pattern_id, min(message_pattern) FROM noted WHERE message_pattern IS NOT NULL GROUP BY 1
    ON CONFLICT DO NOTHING
), summed AS (
    SELECT pattern_id, hour, {_KEY} AS key, level, source, category, sum(count) AS count, min(first_seen) AS first_seen,
           max(last_seen) AS last_seen, bool_or(is_less) AS is_less
    FROM noted GROUP BY 1, 2, 3, 4, 5, 6
), written AS (
    INSERT INTO pattern_hours AS h (pattern_id, hour, key, level, source, category, count, first_seen, last_seen)
    SELECT pattern_id, hour, key, level, source, category, count, first_seen, last_seen FROM summed
    ON CONFLICT (pattern_id, hour, key) DO UPDATE SET count = h.count + excluded.count,
        first_seen = least(h.first_seen, excluded.first_seen), last_seen = greatest(h.last_seen, excluded.last_seen)
), totals AS (
    INSERT INTO pattern_totals AS t (pattern_id, key, level, source, category, count, first_seen, last_seen)
    SELECT pattern_id, key, min(level), min(source), min(category), sum(count), min(first_seen), max(last_seen)
    FROM summed GROUP BY 1, 2
    ON CONFLICT (pattern_id, key) DO UPDATE SET count = t.count + excluded.count,
        first_seen = least(t.first_seen, excluded.first_seen), last_seen = greatest(t.last_seen, excluded.last_seen)
), levels AS (
    INSERT INTO pattern_levels AS l (pattern_id, key, level, count, first_seen, last_seen)
    SELECT pattern_id, md5(level)::uuid, min(level), sum(count), min(first_seen), max(last_seen)
    FROM summed GROUP BY 1, 2
    ON CONFLICT (pattern_id, key) DO UPDATE SET count = l.count + excluded.count,
        first_seen = least(l.first_seen, excluded.first_seen), last_seen = greatest(l.last_seen, excluded.last_seen)
), sources AS (
    INSERT INTO source_hours AS h (hour, key, level, source, count)
    SELECT hour, md5(length(level) || ':' || level || source)::uuid, min(level), min(source), sum(count)
    FROM summed GROUP BY 1, 2
    ON CONFLICT (hour, key) DO UPDATE SET count = h.count + excluded.count
)
SELECT pattern_id, hour, key, level, source, category FROM summed WHERE is_less"""  # noqa: S608  only constants

# Rows that went or shrank may have held the first or last time of their hour: these are read from the rows.
_EDGES = """
WITH less AS (
    SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[])
        AS i(pattern_id, hour, key, level, source, category)
), found AS (
    SELECT l.pattern_id, l.hour, l.key, min(coalesce(t.first_seen, t.last_seen, t.bucket)) AS first_seen,
           max(coalesce(t.last_seen, t.first_seen, t.bucket)) AS last_seen
    FROM less l JOIN aggregated_logs t ON t.pattern_id = l.pattern_id AND t.bucket >= l.hour
        AND t.bucket < l.hour + interval '1 hour' AND coalesce(t.level, '') = l.level
        AND coalesce(t.source, '') = l.source AND coalesce(t.category, '') = l.category
    GROUP BY 1, 2, 3
)
UPDATE pattern_hours h SET first_seen = f.first_seen, last_seen = f.last_seen
FROM found f WHERE h.pattern_id = f.pattern_id AND h.hour = f.hour AND h.key = f.key"""

_EMPTY = """
DELETE FROM pattern_hours h USING unnest($1::text[], $2::timestamptz[], $3::uuid[]) AS i(pattern_id, hour, key)
WHERE h.pattern_id = i.pattern_id AND h.hour = i.hour AND h.key = i.key AND h.count <= 0"""

_EDGES_OF_TOTALS = """
WITH found AS (
    SELECT l.pattern_id, l.key, min(h.first_seen) AS first_seen, max(h.last_seen) AS last_seen
    FROM (SELECT DISTINCT pattern_id, key FROM unnest($1::text[], $2::uuid[]) AS i(pattern_id, key)) l
    JOIN pattern_hours h ON h.pattern_id = l.pattern_id AND h.key = l.key GROUP BY 1, 2
), empty AS (
    DELETE FROM pattern_totals t USING unnest($1::text[], $2::uuid[]) AS i(pattern_id, key)
    WHERE t.pattern_id = i.pattern_id AND t.key = i.key AND t.count <= 0
)
UPDATE pattern_totals t SET first_seen = f.first_seen, last_seen = f.last_seen
FROM found f WHERE t.pattern_id = f.pattern_id AND t.key = f.key AND t.count > 0"""

_EDGES_OF_LEVELS = """
WITH found AS (
    SELECT i.pattern_id, md5(i.level)::uuid AS key, min(t.first_seen) AS first_seen, max(t.last_seen) AS last_seen
    FROM (SELECT DISTINCT pattern_id, level FROM unnest($1::text[], $2::text[]) AS i(pattern_id, level)) i
    JOIN pattern_totals t ON t.pattern_id = i.pattern_id AND t.level = i.level GROUP BY 1, 2
), empty AS (
    DELETE FROM pattern_levels l USING unnest($1::text[], $2::text[]) AS i(pattern_id, level)
    WHERE l.pattern_id = i.pattern_id AND l.key = md5(i.level)::uuid AND l.count <= 0
), no_logs AS (
    DELETE FROM source_hours WHERE hour = ANY($3::timestamptz[]) AND count <= 0
)
UPDATE pattern_levels l SET first_seen = f.first_seen, last_seen = f.last_seen
FROM found f WHERE l.pattern_id = f.pattern_id AND l.key = f.key AND l.count > 0"""


async def add_up_hours(connection: Connection) -> int:
    """Add up, inside a transaction, all that was noted. Returns 0: one step does all."""
    less = await connection.fetch(_ADD_UP)
    if less:
        columns = [[record[name] for record in less] for name in ("pattern_id", "hour", "key", "level", "source")]
        columns.append([record["category"] for record in less])
        await connection.execute(_EDGES, *columns)
        await connection.execute(_EMPTY, *columns[:3])
        await connection.execute(_EDGES_OF_TOTALS, columns[0], columns[2])
        await connection.execute(_EDGES_OF_LEVELS, columns[0], columns[3], columns[1])
    return 0

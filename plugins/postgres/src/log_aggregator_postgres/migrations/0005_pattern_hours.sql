-- How many logs each pattern had in each hour, by level, source and category: what lists over all time are read from.
-- Triggers note what each statement changed, whoever runs it, in `pattern_hours_fresh`: only inserts, so no writer waits
-- for another. Maintenance adds that up in `pattern_hours`. `key` stands for level, source and category; `is_less` says
-- that rows went or shrank, so that the first and last time must be looked up.
CREATE TABLE IF NOT EXISTS pattern_hours (
    pattern_id TEXT NOT NULL,
    hour TIMESTAMPTZ NOT NULL,
    key UUID NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    category TEXT NOT NULL,
    count NUMERIC NOT NULL,
    first_seen TIMESTAMPTZ,
    last_seen TIMESTAMPTZ,
    PRIMARY KEY (pattern_id, hour, key)
);
CREATE INDEX IF NOT EXISTS pattern_hours_hour ON pattern_hours(hour);

CREATE TABLE IF NOT EXISTS pattern_hours_fresh (
    pattern_id TEXT NOT NULL,
    hour TIMESTAMPTZ NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    category TEXT NOT NULL,
    count NUMERIC NOT NULL,
    first_seen TIMESTAMPTZ,
    last_seen TIMESTAMPTZ,
    is_less BOOLEAN NOT NULL,
    message_pattern TEXT
);

CREATE TABLE IF NOT EXISTS pattern_texts (
    pattern_id TEXT PRIMARY KEY,
    message_pattern TEXT NOT NULL
);

CREATE OR REPLACE FUNCTION log_aggregator_hour(at TIMESTAMPTZ) RETURNS TIMESTAMPTZ LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT to_timestamp(floor(extract(epoch FROM at) / 3600) * 3600) $$;

CREATE OR REPLACE FUNCTION log_aggregator_note_hours() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE pattern_hours, pattern_hours_fresh, pattern_texts;
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO pattern_hours_fresh
        SELECT pattern_id, log_aggregator_hour(coalesce(bucket, last_seen, first_seen, now())), coalesce(level, ''),
               coalesce(source, ''), coalesce(category, ''), sum(coalesce(count, 1)),
               min(coalesce(first_seen, last_seen, bucket)), max(coalesce(last_seen, first_seen, bucket)), false,
               min(message_pattern)
        FROM new_rows WHERE pattern_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO pattern_hours_fresh
        SELECT pattern_id, log_aggregator_hour(coalesce(bucket, last_seen, first_seen, now())), coalesce(level, ''),
               coalesce(source, ''), coalesce(category, ''), sum(logs),
               min(coalesce(first_seen, last_seen, bucket)) FILTER (WHERE is_new),
               max(coalesce(last_seen, first_seen, bucket)) FILTER (WHERE is_new),
               coalesce(
                   count(*) FILTER (WHERE is_new) = 0
                       OR min(first_seen) FILTER (WHERE is_new) > min(first_seen)
                       OR max(last_seen) FILTER (WHERE is_new) < max(last_seen),
                   true),
               min(message_pattern) FILTER (WHERE is_named)
        FROM (
            SELECT n.pattern_id, n.bucket, n.level, n.source, n.category, coalesce(n.count, 1) AS logs, n.first_seen,
                   n.last_seen, n.message_pattern, true AS is_new, o.pattern_id IS DISTINCT FROM n.pattern_id AS is_named
            FROM new_rows n LEFT JOIN old_rows o ON o.id = n.id
            UNION ALL
            SELECT pattern_id, bucket, level, source, category, -coalesce(count, 1), first_seen, last_seen,
                   message_pattern, false, false
            FROM old_rows
        ) AS changed WHERE pattern_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5;
    ELSE
        INSERT INTO pattern_hours_fresh
        SELECT pattern_id, log_aggregator_hour(coalesce(bucket, last_seen, first_seen, now())), coalesce(level, ''),
               coalesce(source, ''), coalesce(category, ''), -sum(coalesce(count, 1)), NULL, NULL, true, NULL
        FROM old_rows WHERE pattern_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5;
    END IF;
    RETURN NULL;
END $$;

LOCK TABLE aggregated_logs IN SHARE ROW EXCLUSIVE MODE;
DROP TRIGGER IF EXISTS log_aggregator_added ON aggregated_logs;
DROP TRIGGER IF EXISTS log_aggregator_changed ON aggregated_logs;
DROP TRIGGER IF EXISTS log_aggregator_deleted ON aggregated_logs;
DROP TRIGGER IF EXISTS log_aggregator_emptied ON aggregated_logs;
CREATE TRIGGER log_aggregator_added AFTER INSERT ON aggregated_logs
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION log_aggregator_note_hours();
CREATE TRIGGER log_aggregator_changed AFTER UPDATE ON aggregated_logs
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_aggregator_note_hours();
CREATE TRIGGER log_aggregator_deleted AFTER DELETE ON aggregated_logs
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION log_aggregator_note_hours();
CREATE TRIGGER log_aggregator_emptied AFTER TRUNCATE ON aggregated_logs
    FOR EACH STATEMENT EXECUTE FUNCTION log_aggregator_note_hours();

TRUNCATE pattern_hours, pattern_hours_fresh, pattern_texts;
INSERT INTO pattern_texts
SELECT pattern_id, min(message_pattern) FROM aggregated_logs WHERE pattern_id IS NOT NULL GROUP BY 1;
INSERT INTO pattern_hours
SELECT pattern_id, hour, md5(length(level) || ':' || level || length(source) || ':' || source || category)::uuid, level,
       source, category, count, first_seen, last_seen
FROM (
    SELECT pattern_id, log_aggregator_hour(coalesce(bucket, last_seen, first_seen, now())) AS hour,
           coalesce(level, '') AS level, coalesce(source, '') AS source, coalesce(category, '') AS category,
           sum(coalesce(count, 1)) AS count, min(coalesce(first_seen, last_seen, bucket)) AS first_seen,
           max(coalesce(last_seen, first_seen, bucket)) AS last_seen
    FROM aggregated_logs WHERE pattern_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5
) AS summed;

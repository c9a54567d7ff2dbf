-- The sums of `pattern_totals` by pattern and level, and those of `pattern_hours` by hour, level and source: where patterns
-- come from many sources, lists of all patterns and series of all logs read these. `key` stands for the texts beside it.
CREATE TABLE IF NOT EXISTS pattern_levels (
    pattern_id TEXT NOT NULL,
    key UUID NOT NULL,
    level TEXT NOT NULL,
    count NUMERIC NOT NULL,
    first_seen TIMESTAMPTZ,
    last_seen TIMESTAMPTZ,
    PRIMARY KEY (pattern_id, key)
);
CREATE TABLE IF NOT EXISTS source_hours (
    hour TIMESTAMPTZ NOT NULL,
    key UUID NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    count NUMERIC NOT NULL,
    PRIMARY KEY (hour, key)
);

DROP INDEX IF EXISTS pattern_hours_hour;

CREATE OR REPLACE FUNCTION log_aggregator_empty_totals() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE pattern_totals, pattern_details, pattern_levels, source_hours;
    RETURN NULL;
END $$;

LOCK TABLE aggregated_logs, pattern_hours, pattern_totals IN SHARE ROW EXCLUSIVE MODE;
TRUNCATE pattern_levels, source_hours;
INSERT INTO pattern_levels
SELECT pattern_id, md5(level)::uuid, min(level), sum(count), min(first_seen), max(last_seen)
FROM pattern_totals GROUP BY 1, 2;
INSERT INTO source_hours
SELECT hour, md5(length(level) || ':' || level || source)::uuid, min(level), min(source), sum(count)
FROM pattern_hours GROUP BY 1, 2;

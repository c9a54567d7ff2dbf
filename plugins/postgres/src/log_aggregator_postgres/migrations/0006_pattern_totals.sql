-- The sums of `pattern_hours` over all hours, added up with it: a list over all time reads a row for each pattern, level,
-- source and category, however long the store has been there.
CREATE TABLE IF NOT EXISTS pattern_totals (
    pattern_id TEXT NOT NULL,
    key UUID NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    category TEXT NOT NULL,
    count NUMERIC NOT NULL,
    first_seen TIMESTAMPTZ,
    last_seen TIMESTAMPTZ,
    PRIMARY KEY (pattern_id, key)
);

CREATE OR REPLACE FUNCTION log_aggregator_empty_totals() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE pattern_totals;
    RETURN NULL;
END $$;

LOCK TABLE aggregated_logs, pattern_hours IN SHARE ROW EXCLUSIVE MODE;
DROP TRIGGER IF EXISTS log_aggregator_emptied_totals ON aggregated_logs;
CREATE TRIGGER log_aggregator_emptied_totals AFTER TRUNCATE ON aggregated_logs
    FOR EACH STATEMENT EXECUTE FUNCTION log_aggregator_empty_totals();

TRUNCATE pattern_totals;
INSERT INTO pattern_totals
SELECT pattern_id, key, min(level), min(source), min(category), sum(count), min(first_seen), max(last_seen)
FROM pattern_hours GROUP BY pattern_id, key;

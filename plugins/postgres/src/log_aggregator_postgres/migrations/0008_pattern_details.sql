-- What rows older than two days say beside their counts: once for each pattern, level, source and group in an hour, of rare
-- patterns in a day. `begins` is in seconds since the epoch. `packed` is read by log-aggregator only.
CREATE TABLE IF NOT EXISTS pattern_details (
    id BIGSERIAL PRIMARY KEY,
    pattern_id TEXT NOT NULL,
    begins BIGINT NOT NULL,
    seconds BIGINT NOT NULL,
    group_key BYTEA NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    packed BYTEA NOT NULL
);
ALTER TABLE pattern_details ALTER COLUMN packed SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX IF NOT EXISTS pattern_details_key ON pattern_details(pattern_id, begins, seconds, group_key);
CREATE INDEX IF NOT EXISTS pattern_details_ends ON pattern_details((begins + seconds));

-- Of what the next row is found that still has them. Rows of other programs stay as they are.
CREATE INDEX IF NOT EXISTS aggregated_logs_detailed ON aggregated_logs(last_seen)
    WHERE (metadata IS NOT NULL OR variables IS NOT NULL OR sample_details IS NOT NULL) AND group_key IS NOT NULL;

CREATE INDEX IF NOT EXISTS aggregated_logs_first_seen ON aggregated_logs(first_seen);

CREATE OR REPLACE FUNCTION log_aggregator_empty_totals() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE pattern_totals, pattern_details;
    RETURN NULL;
END $$;

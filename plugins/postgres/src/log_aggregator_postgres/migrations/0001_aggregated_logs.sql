-- The table, made new or widened from the one of the original service: every column keeps its name and
-- meaning, every row stays. Each statement can run again, so a damaged table is repaired by running it.
CREATE TABLE IF NOT EXISTS aggregated_logs (
    id BIGSERIAL PRIMARY KEY,
    message_pattern TEXT NOT NULL,
    count BIGINT DEFAULT 1,
    level TEXT,
    source TEXT,
    first_seen TIMESTAMPTZ DEFAULT NOW(),
    last_seen TIMESTAMPTZ DEFAULT NOW(),
    metadata JSONB,
    sample_messages JSONB
);

DROP VIEW IF EXISTS log_patterns;

-- TIMESTAMP held the time of the server's time zone, as NOW() wrote it: the cast reads it so.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = 'aggregated_logs'::regclass AND NOT attisdropped
          AND (attname, atttypid::regtype::text) IN (
              ('id', 'integer'), ('count', 'integer'), ('level', 'character varying'), ('source', 'character varying'),
              ('first_seen', 'timestamp without time zone'), ('last_seen', 'timestamp without time zone'))
    ) THEN
        ALTER TABLE aggregated_logs
            ALTER COLUMN first_seen DROP DEFAULT,
            ALTER COLUMN last_seen DROP DEFAULT,
            ALTER COLUMN id TYPE BIGINT,
            ALTER COLUMN count TYPE BIGINT,
            ALTER COLUMN level TYPE TEXT,
            ALTER COLUMN source TYPE TEXT,
            ALTER COLUMN first_seen TYPE TIMESTAMPTZ,
            ALTER COLUMN last_seen TYPE TIMESTAMPTZ;
        ALTER TABLE aggregated_logs
            ALTER COLUMN first_seen SET DEFAULT NOW(),
            ALTER COLUMN last_seen SET DEFAULT NOW();
    END IF;
    IF pg_get_serial_sequence('aggregated_logs', 'id') IS NOT NULL THEN
        EXECUTE format('ALTER SEQUENCE %s AS BIGINT', pg_get_serial_sequence('aggregated_logs', 'id'));
    END IF;
END $$;

-- A row is one pattern, level and source in one time slice. `group_key` stands for level, source and
-- grouped_by in 16 bytes; it is NULL in rows of other programs, which are never merged with ours.
-- `revision` tells a writer whether the row is as it left it.
ALTER TABLE aggregated_logs
    ADD COLUMN IF NOT EXISTS bucket TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS bucket_seconds BIGINT DEFAULT 300,
    ADD COLUMN IF NOT EXISTS pattern_id TEXT,
    ADD COLUMN IF NOT EXISTS group_key BYTEA,
    ADD COLUMN IF NOT EXISTS grouped_by TEXT DEFAULT '',
    ADD COLUMN IF NOT EXISTS latest_sample INTEGER DEFAULT 0,
    ADD COLUMN IF NOT EXISTS category TEXT,
    ADD COLUMN IF NOT EXISTS categories JSONB,
    ADD COLUMN IF NOT EXISTS tags JSONB,
    ADD COLUMN IF NOT EXISTS revision BIGINT DEFAULT 0;

UPDATE aggregated_logs SET
    count = coalesce(count, 1),
    first_seen = coalesce(first_seen, last_seen, now()),
    last_seen = coalesce(last_seen, first_seen, now()),
    bucket = to_timestamp(floor(extract(epoch FROM coalesce(first_seen, last_seen, now())) / 300) * 300),
    bucket_seconds = greatest(300, ceil(extract(epoch FROM last_seen - first_seen)) + 300)
WHERE bucket IS NULL;

ALTER TABLE aggregated_logs
    ALTER COLUMN bucket SET DEFAULT to_timestamp(floor(extract(epoch FROM now()) / 300) * 300);

CREATE UNIQUE INDEX IF NOT EXISTS aggregated_logs_key ON aggregated_logs(pattern_id, bucket, group_key);
CREATE INDEX IF NOT EXISTS idx_aggregated_logs_source ON aggregated_logs(source);
CREATE INDEX IF NOT EXISTS idx_aggregated_logs_level ON aggregated_logs(level);
CREATE INDEX IF NOT EXISTS idx_aggregated_logs_last_seen ON aggregated_logs(last_seen);

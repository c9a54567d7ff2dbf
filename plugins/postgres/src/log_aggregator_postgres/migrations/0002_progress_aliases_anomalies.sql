-- The last flush stored of each data directory: moved in the transaction that stores its rows.
CREATE TABLE IF NOT EXISTS flush_progress (
    instance TEXT PRIMARY KEY,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    sealed TIMESTAMPTZ NOT NULL,
    stored_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- Rows of old_id belong to final_id, whose text is final_pattern (NULL: old_id stands alone).
CREATE TABLE IF NOT EXISTS pattern_aliases (
    old_id TEXT PRIMARY KEY,
    pattern TEXT NOT NULL,
    at BIGINT NOT NULL,
    final_id TEXT NOT NULL,
    final_pattern TEXT
);
CREATE INDEX IF NOT EXISTS pattern_aliases_final_id ON pattern_aliases(final_id);

CREATE TABLE IF NOT EXISTS log_anomalies (
    id TEXT PRIMARY KEY,
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    tier TEXT NOT NULL,
    pattern_id TEXT NOT NULL,
    pattern TEXT NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    started TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    resolved TIMESTAMPTZ,
    score DOUBLE PRECISION NOT NULL,
    details JSONB NOT NULL
);
CREATE INDEX IF NOT EXISTS log_anomalies_started ON log_anomalies(started);

-- What the database refused: kept for a person to look at and to try again.
CREATE TABLE IF NOT EXISTS log_quarantine (
    id BIGSERIAL PRIMARY KEY,
    flush TEXT NOT NULL,
    set_aside_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    reason TEXT NOT NULL,
    logs NUMERIC NOT NULL,
    packed BYTEA NOT NULL
);

CREATE OR REPLACE VIEW log_patterns AS
SELECT coalesce(a.final_id, t.pattern_id, md5(t.message_pattern)) AS pattern_id,
       coalesce(min(a.final_pattern), min(t.message_pattern)) AS message_pattern,
       sum(t.count)::bigint AS count,
       min(t.first_seen) AS first_seen,
       max(t.last_seen) AS last_seen,
       array_agg(DISTINCT t.level) AS levels,
       array_agg(DISTINCT t.source) AS sources
FROM aggregated_logs t LEFT JOIN pattern_aliases a ON a.old_id = t.pattern_id
GROUP BY coalesce(a.final_id, t.pattern_id, md5(t.message_pattern));

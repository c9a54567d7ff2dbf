-- Every time in this file is in microseconds since the epoch (UTC).
CREATE TABLE aggregated_logs (
    id INTEGER PRIMARY KEY,
    message_pattern TEXT NOT NULL,
    count INTEGER NOT NULL DEFAULT 1,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    metadata TEXT,                      -- JSON: a summary of the metadata of all logs
    sample_messages TEXT,               -- JSON: an array of original messages
    latest_sample INTEGER NOT NULL DEFAULT 0,
    bucket INTEGER NOT NULL,            -- where the row's time slice starts
    bucket_seconds INTEGER NOT NULL,    -- and how long it is
    pattern_id TEXT NOT NULL,
    group_key BLOB NOT NULL,            -- 16 bytes that stand for level, source and grouped_by
    grouped_by TEXT NOT NULL DEFAULT '',
    category TEXT,
    categories TEXT,                    -- JSON: category to number of logs
    tags TEXT                           -- JSON: tag to number of logs
);
CREATE UNIQUE INDEX aggregated_logs_key ON aggregated_logs(pattern_id, bucket, group_key);
CREATE INDEX idx_aggregated_logs_source ON aggregated_logs(source);
CREATE INDEX idx_aggregated_logs_level ON aggregated_logs(level);
CREATE INDEX idx_aggregated_logs_last_seen ON aggregated_logs(last_seen);

-- The last flush stored of each data directory: moved in the transaction that stores its rows.
CREATE TABLE flush_progress (
    instance TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    stored_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Rows of old_id belong to final_id, whose text is final_pattern (NULL: old_id stands alone).
CREATE TABLE pattern_aliases (
    old_id TEXT PRIMARY KEY,
    pattern TEXT NOT NULL,
    at INTEGER NOT NULL,
    final_id TEXT NOT NULL,
    final_pattern TEXT
) WITHOUT ROWID;
CREATE INDEX pattern_aliases_final_id ON pattern_aliases(final_id);

CREATE TABLE log_anomalies (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    tier TEXT NOT NULL,
    pattern_id TEXT NOT NULL,
    pattern TEXT NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    started INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    resolved INTEGER,
    score REAL NOT NULL,
    details TEXT NOT NULL               -- JSON
) WITHOUT ROWID;
CREATE INDEX log_anomalies_started ON log_anomalies(started);

-- What the database refused: kept for a person to look at and to try again.
CREATE TABLE log_quarantine (
    id INTEGER PRIMARY KEY,
    flush TEXT NOT NULL,
    set_aside_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    logs INTEGER NOT NULL,
    packed BLOB NOT NULL
);

CREATE VIEW log_patterns AS
SELECT coalesce(a.final_id, t.pattern_id) AS pattern_id,
       coalesce(min(a.final_pattern), min(t.message_pattern)) AS message_pattern,
       sum(t.count) AS count,
       min(t.first_seen) AS first_seen,
       max(t.last_seen) AS last_seen,
       json_group_array(DISTINCT t.level) AS levels,
       json_group_array(DISTINCT t.source) AS sources
FROM aggregated_logs t LEFT JOIN pattern_aliases a ON a.old_id = t.pattern_id
GROUP BY coalesce(a.final_id, t.pattern_id);

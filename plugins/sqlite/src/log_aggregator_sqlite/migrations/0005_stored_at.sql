-- Retention counts from when a row was stored: a year of old logs that is sent today stays. Rows from before have no time
-- of storing: of these, the last log counts.
ALTER TABLE aggregated_logs ADD COLUMN stored_at INTEGER;
CREATE INDEX aggregated_logs_stored_at ON aggregated_logs(coalesce(stored_at, last_seen));

-- `made_with`: the number of the newest migration when the file was made. Files from before this table have none.
CREATE TABLE store_facts (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

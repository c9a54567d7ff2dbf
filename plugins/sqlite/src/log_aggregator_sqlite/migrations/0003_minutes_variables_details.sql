-- What a row says of single logs and minutes; empty in rows from before.
ALTER TABLE aggregated_logs ADD COLUMN minutes TEXT;         -- JSON: how many logs came in each minute of the bucket
ALTER TABLE aggregated_logs ADD COLUMN variables TEXT;       -- JSON: a summary of what each placeholder stood for
ALTER TABLE aggregated_logs ADD COLUMN sample_details TEXT;  -- JSON: time and metadata of each of sample_messages
CREATE INDEX log_anomalies_updated ON log_anomalies(updated);
CREATE INDEX log_anomalies_pattern_id ON log_anomalies(pattern_id);

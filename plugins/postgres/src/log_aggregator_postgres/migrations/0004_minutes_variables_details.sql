-- What a row says of single logs and minutes; empty in rows from before and in those of other programs.
-- `minutes`: a JSON array of how many logs came in each minute of the bucket. `variables`: a summary of what each
-- placeholder of the pattern stood for. `sample_details`: time and metadata of each of `sample_messages`.
ALTER TABLE aggregated_logs
    ADD COLUMN IF NOT EXISTS minutes TEXT,
    ADD COLUMN IF NOT EXISTS variables JSONB,
    ADD COLUMN IF NOT EXISTS sample_details JSON;

CREATE INDEX IF NOT EXISTS log_anomalies_updated ON log_anomalies(updated);
CREATE INDEX IF NOT EXISTS log_anomalies_pattern_id ON log_anomalies(pattern_id);

-- No question is led to its rows by a level or a source alone: half of all rows may have the same one.
DROP INDEX idx_aggregated_logs_source;
DROP INDEX idx_aggregated_logs_level;

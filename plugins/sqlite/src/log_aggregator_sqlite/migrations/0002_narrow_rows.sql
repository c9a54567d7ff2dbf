-- Roll-up finds the next row here, instead of walking past all that it has rolled up before.
CREATE INDEX aggregated_logs_narrow ON aggregated_logs(last_seen) WHERE bucket_seconds < 3600;

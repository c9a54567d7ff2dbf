-- Roll-up finds the next row here, instead of walking past all that it has rolled up before.
CREATE INDEX IF NOT EXISTS aggregated_logs_narrow ON aggregated_logs(last_seen)
    WHERE bucket_seconds < 3600 AND group_key IS NOT NULL;

-- A restore may bring rows back without the sequence of their ids.
SELECT setval(pg_get_serial_sequence('aggregated_logs', 'id'),
              greatest(max(id), nextval(pg_get_serial_sequence('aggregated_logs', 'id'))))
FROM aggregated_logs
HAVING pg_get_serial_sequence('aggregated_logs', 'id') IS NOT NULL;

-- Another program may have left the count of its row empty.
CREATE OR REPLACE VIEW log_patterns AS
SELECT coalesce(a.final_id, t.pattern_id, md5(t.message_pattern)) AS pattern_id,
       coalesce(min(a.final_pattern), min(t.message_pattern)) AS message_pattern,
       sum(coalesce(t.count, 1))::bigint AS count,
       min(t.first_seen) AS first_seen,
       max(t.last_seen) AS last_seen,
       array_agg(DISTINCT t.level) AS levels,
       array_agg(DISTINCT t.source) AS sources
FROM aggregated_logs t LEFT JOIN pattern_aliases a ON a.old_id = t.pattern_id
GROUP BY coalesce(a.final_id, t.pattern_id, md5(t.message_pattern));

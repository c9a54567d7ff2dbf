-- 8 bytes of a group key tell the groups of one pattern and bucket apart as well as 16 do. Those of rows and details that
-- may still grow are made shorter; older ones keep theirs.
UPDATE aggregated_logs SET group_key = substr(group_key, 1, 8)
WHERE length(group_key) = 16 AND last_seen >= (SELECT max(last_seen) - 2 * 86400000000 FROM aggregated_logs);
UPDATE pattern_details SET group_key = substr(group_key, 1, 8)
WHERE length(group_key) = 16 AND stored_at >= (SELECT max(stored_at) - 2 * 86400000000 FROM pattern_details);

DROP INDEX aggregated_logs_detailed;
CREATE INDEX aggregated_logs_detailed ON aggregated_logs(last_seen)
    WHERE (metadata IS NOT NULL OR variables IS NOT NULL OR sample_details IS NOT NULL) AND length(group_key) IN (8, 16);

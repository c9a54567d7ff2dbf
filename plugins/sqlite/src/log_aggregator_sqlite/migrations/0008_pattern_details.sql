-- What rows older than two days say beside their counts: once for each pattern, level, source and group in an hour, of rare
-- patterns in a day. `begins` is in seconds since the epoch. `packed` is read by log-aggregator only.
CREATE TABLE pattern_details (
    id INTEGER PRIMARY KEY,
    pattern_id TEXT NOT NULL,
    begins INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    group_key BLOB NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    packed BLOB NOT NULL
);
CREATE UNIQUE INDEX pattern_details_key ON pattern_details(pattern_id, begins, seconds, group_key);
CREATE INDEX pattern_details_stored_at ON pattern_details(stored_at);

-- Of what the next row is found that still has them. Rows of other programs, whose keys have other lengths, stay.
CREATE INDEX aggregated_logs_detailed ON aggregated_logs(last_seen)
    WHERE (metadata IS NOT NULL OR variables IS NOT NULL OR sample_details IS NOT NULL) AND length(group_key) = 16;

CREATE INDEX aggregated_logs_first_seen ON aggregated_logs(first_seen);

-- As before, but no longer run where nothing that is counted changes.
DROP TRIGGER aggregated_logs_grown;
CREATE TRIGGER aggregated_logs_grown
AFTER UPDATE OF pattern_id, bucket, level, source, category, count, first_seen, last_seen ON aggregated_logs
WHEN NEW.pattern_id = OLD.pattern_id AND NEW.bucket / 3600000000 = OLD.bucket / 3600000000 AND NEW.level = OLD.level
    AND NEW.source = OLD.source AND coalesce(NEW.category, '') = coalesce(OLD.category, '')
    AND NEW.first_seen <= OLD.first_seen AND NEW.last_seen >= OLD.last_seen
BEGIN
    UPDATE pattern_hours SET count = count + NEW.count - OLD.count, first_seen = min(first_seen, NEW.first_seen),
        last_seen = max(last_seen, NEW.last_seen)
    WHERE pattern_id = NEW.pattern_id AND hour = NEW.bucket / 3600000000 * 3600000000 AND level = NEW.level
        AND source = NEW.source AND category = coalesce(NEW.category, '');
END;

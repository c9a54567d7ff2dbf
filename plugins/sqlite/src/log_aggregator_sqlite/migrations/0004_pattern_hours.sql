-- How many logs each pattern had in each hour, by level, source and category: what lists over all time are read from.
-- Triggers keep it equal to the rows, whoever writes them.
CREATE TABLE pattern_hours (
    pattern_id TEXT NOT NULL,
    hour INTEGER NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    category TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (pattern_id, hour, level, source, category)
) WITHOUT ROWID;
CREATE INDEX pattern_hours_hour ON pattern_hours(hour);

CREATE TABLE pattern_texts (
    pattern_id TEXT PRIMARY KEY,
    message_pattern TEXT NOT NULL
) WITHOUT ROWID;

INSERT INTO pattern_texts SELECT pattern_id, min(message_pattern) FROM aggregated_logs GROUP BY pattern_id;
INSERT INTO pattern_hours
SELECT pattern_id, bucket / 3600000000 * 3600000000, level, source, coalesce(category, ''), sum(count), min(first_seen),
       max(last_seen)
FROM aggregated_logs GROUP BY 1, 2, 3, 4, 5;

CREATE TRIGGER aggregated_logs_added AFTER INSERT ON aggregated_logs BEGIN
    INSERT INTO pattern_texts VALUES (NEW.pattern_id, NEW.message_pattern) ON CONFLICT DO NOTHING;
    INSERT INTO pattern_hours VALUES (
        NEW.pattern_id, NEW.bucket / 3600000000 * 3600000000, NEW.level, NEW.source, coalesce(NEW.category, ''),
        NEW.count, NEW.first_seen, NEW.last_seen)
    ON CONFLICT DO UPDATE SET count = count + excluded.count, first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen);
END;

-- The usual change: the row stays in its hour and only grows.
CREATE TRIGGER aggregated_logs_grown AFTER UPDATE ON aggregated_logs
WHEN NEW.pattern_id = OLD.pattern_id AND NEW.bucket / 3600000000 = OLD.bucket / 3600000000 AND NEW.level = OLD.level
    AND NEW.source = OLD.source AND coalesce(NEW.category, '') = coalesce(OLD.category, '')
    AND NEW.first_seen <= OLD.first_seen AND NEW.last_seen >= OLD.last_seen
BEGIN
    UPDATE pattern_hours SET count = count + NEW.count - OLD.count, first_seen = min(first_seen, NEW.first_seen),
        last_seen = max(last_seen, NEW.last_seen)
    WHERE pattern_id = NEW.pattern_id AND hour = NEW.bucket / 3600000000 * 3600000000 AND level = NEW.level
        AND source = NEW.source AND category = coalesce(NEW.category, '');
END;

-- Any other change: what the old row gave is summed up anew, then the new one.
CREATE TRIGGER aggregated_logs_moved AFTER UPDATE ON aggregated_logs
WHEN NOT (NEW.pattern_id = OLD.pattern_id AND NEW.bucket / 3600000000 = OLD.bucket / 3600000000
    AND NEW.level = OLD.level AND NEW.source = OLD.source AND coalesce(NEW.category, '') = coalesce(OLD.category, '')
    AND NEW.first_seen <= OLD.first_seen AND NEW.last_seen >= OLD.last_seen)
BEGIN
    INSERT INTO pattern_texts VALUES (NEW.pattern_id, NEW.message_pattern) ON CONFLICT DO NOTHING;
    DELETE FROM pattern_hours
    WHERE pattern_id = OLD.pattern_id AND hour = OLD.bucket / 3600000000 * 3600000000 AND level = OLD.level
        AND source = OLD.source AND category = coalesce(OLD.category, '');
    INSERT INTO pattern_hours
    SELECT pattern_id, bucket / 3600000000 * 3600000000, level, source, coalesce(category, ''), sum(count),
           min(first_seen), max(last_seen)
    FROM aggregated_logs
    WHERE pattern_id = OLD.pattern_id AND bucket >= OLD.bucket / 3600000000 * 3600000000
        AND bucket < OLD.bucket / 3600000000 * 3600000000 + 3600000000 AND +level = OLD.level AND +source = OLD.source
        AND coalesce(category, '') = coalesce(OLD.category, '')
    GROUP BY 1, 2, 3, 4, 5;
    DELETE FROM pattern_hours
    WHERE pattern_id = NEW.pattern_id AND hour = NEW.bucket / 3600000000 * 3600000000 AND level = NEW.level
        AND source = NEW.source AND category = coalesce(NEW.category, '');
    INSERT INTO pattern_hours
    SELECT pattern_id, bucket / 3600000000 * 3600000000, level, source, coalesce(category, ''), sum(count),
           min(first_seen), max(last_seen)
    FROM aggregated_logs
    WHERE pattern_id = NEW.pattern_id AND bucket >= NEW.bucket / 3600000000 * 3600000000
        AND bucket < NEW.bucket / 3600000000 * 3600000000 + 3600000000 AND +level = NEW.level AND +source = NEW.source
        AND coalesce(category, '') = coalesce(NEW.category, '')
    GROUP BY 1, 2, 3, 4, 5;
END;

CREATE TRIGGER aggregated_logs_deleted AFTER DELETE ON aggregated_logs BEGIN
    DELETE FROM pattern_hours
    WHERE pattern_id = OLD.pattern_id AND hour = OLD.bucket / 3600000000 * 3600000000 AND level = OLD.level
        AND source = OLD.source AND category = coalesce(OLD.category, '');
    INSERT INTO pattern_hours
    SELECT pattern_id, bucket / 3600000000 * 3600000000, level, source, coalesce(category, ''), sum(count),
           min(first_seen), max(last_seen)
    FROM aggregated_logs
    WHERE pattern_id = OLD.pattern_id AND bucket >= OLD.bucket / 3600000000 * 3600000000
        AND bucket < OLD.bucket / 3600000000 * 3600000000 + 3600000000 AND +level = OLD.level AND +source = OLD.source
        AND coalesce(category, '') = coalesce(OLD.category, '')
    GROUP BY 1, 2, 3, 4, 5;
END;

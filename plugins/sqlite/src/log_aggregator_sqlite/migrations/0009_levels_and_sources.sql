-- The sums of `pattern_totals` by pattern and level, and those of `pattern_hours` by hour, level and source: where patterns
-- come from many sources, lists of all patterns and series of all logs read these. Triggers keep them.
CREATE TABLE pattern_levels (
    pattern_id TEXT NOT NULL,
    level TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (pattern_id, level)
) WITHOUT ROWID;
CREATE TABLE source_hours (
    hour INTEGER NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (hour, level, source)
) WITHOUT ROWID;

INSERT INTO pattern_levels
SELECT pattern_id, level, sum(count), min(first_seen), max(last_seen) FROM pattern_totals GROUP BY 1, 2;
INSERT INTO source_hours SELECT hour, level, source, sum(count) FROM pattern_hours GROUP BY 1, 2, 3;

DROP INDEX pattern_hours_hour;

CREATE TRIGGER pattern_totals_added AFTER INSERT ON pattern_totals BEGIN
    INSERT INTO pattern_levels VALUES (NEW.pattern_id, NEW.level, NEW.count, NEW.first_seen, NEW.last_seen)
    ON CONFLICT DO UPDATE SET count = count + excluded.count, first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen);
END;

CREATE TRIGGER pattern_totals_grown AFTER UPDATE ON pattern_totals
WHEN NEW.first_seen <= OLD.first_seen AND NEW.last_seen >= OLD.last_seen
BEGIN
    UPDATE pattern_levels SET count = count + NEW.count - OLD.count, first_seen = min(first_seen, NEW.first_seen),
        last_seen = max(last_seen, NEW.last_seen)
    WHERE pattern_id = NEW.pattern_id AND level = NEW.level;
END;

CREATE TRIGGER pattern_totals_shrunk AFTER UPDATE ON pattern_totals
WHEN NEW.first_seen > OLD.first_seen OR NEW.last_seen < OLD.last_seen
BEGIN
    UPDATE pattern_levels SET count = count + NEW.count - OLD.count, (first_seen, last_seen) = (
        SELECT min(t.first_seen), max(t.last_seen) FROM pattern_totals t
        WHERE t.pattern_id = NEW.pattern_id AND t.level = NEW.level)
    WHERE pattern_id = NEW.pattern_id AND level = NEW.level;
END;

CREATE TRIGGER pattern_totals_deleted AFTER DELETE ON pattern_totals BEGIN
    UPDATE pattern_levels SET count = count - OLD.count, (first_seen, last_seen) = (
        SELECT coalesce(min(t.first_seen), pattern_levels.first_seen), coalesce(max(t.last_seen), pattern_levels.last_seen)
        FROM pattern_totals t WHERE t.pattern_id = OLD.pattern_id AND t.level = OLD.level)
    WHERE pattern_id = OLD.pattern_id AND level = OLD.level;
    DELETE FROM pattern_levels WHERE pattern_id = OLD.pattern_id AND level = OLD.level AND NOT EXISTS (
        SELECT 1 FROM pattern_totals t WHERE t.pattern_id = OLD.pattern_id AND t.level = OLD.level);
END;

CREATE TRIGGER pattern_hours_counted AFTER INSERT ON pattern_hours BEGIN
    INSERT INTO source_hours VALUES (NEW.hour, NEW.level, NEW.source, NEW.count)
    ON CONFLICT DO UPDATE SET count = count + excluded.count;
END;

CREATE TRIGGER pattern_hours_recounted AFTER UPDATE OF count ON pattern_hours WHEN NEW.count <> OLD.count BEGIN
    UPDATE source_hours SET count = count + NEW.count - OLD.count
    WHERE hour = NEW.hour AND level = NEW.level AND source = NEW.source;
END;

CREATE TRIGGER pattern_hours_discounted AFTER DELETE ON pattern_hours BEGIN
    UPDATE source_hours SET count = count - OLD.count
    WHERE hour = OLD.hour AND level = OLD.level AND source = OLD.source;
    DELETE FROM source_hours WHERE hour = OLD.hour AND level = OLD.level AND source = OLD.source AND count <= 0;
END;

-- The sums of `pattern_hours` over all hours, which its triggers keep: a list over all time reads a row for each pattern,
-- level, source and category, however long the store has been there.
CREATE TABLE pattern_totals (
    pattern_id TEXT NOT NULL,
    level TEXT NOT NULL,
    source TEXT NOT NULL,
    category TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (pattern_id, level, source, category)
) WITHOUT ROWID;

INSERT INTO pattern_totals
SELECT pattern_id, level, source, category, sum(count), min(first_seen), max(last_seen)
FROM pattern_hours GROUP BY 1, 2, 3, 4;

CREATE TRIGGER pattern_hours_added AFTER INSERT ON pattern_hours BEGIN
    INSERT INTO pattern_totals VALUES (
        NEW.pattern_id, NEW.level, NEW.source, NEW.category, NEW.count, NEW.first_seen, NEW.last_seen)
    ON CONFLICT DO UPDATE SET count = count + excluded.count, first_seen = min(first_seen, excluded.first_seen),
        last_seen = max(last_seen, excluded.last_seen);
END;

-- Other triggers only let an hour grow; one that shrinks is deleted and inserted.
CREATE TRIGGER pattern_hours_grown AFTER UPDATE ON pattern_hours BEGIN
    UPDATE pattern_totals SET count = count + NEW.count - OLD.count, first_seen = min(first_seen, NEW.first_seen),
        last_seen = max(last_seen, NEW.last_seen)
    WHERE pattern_id = NEW.pattern_id AND level = NEW.level AND source = NEW.source AND category = NEW.category;
END;

CREATE TRIGGER pattern_hours_deleted AFTER DELETE ON pattern_hours BEGIN
    UPDATE pattern_totals SET count = count - OLD.count
    WHERE pattern_id = OLD.pattern_id AND level = OLD.level AND source = OLD.source AND category = OLD.category;
    DELETE FROM pattern_totals
    WHERE pattern_id = OLD.pattern_id AND level = OLD.level AND source = OLD.source AND category = OLD.category
        AND count <= 0;
    UPDATE pattern_totals SET (first_seen, last_seen) = (
        SELECT coalesce(min(h.first_seen), pattern_totals.first_seen), coalesce(max(h.last_seen), pattern_totals.last_seen)
        FROM pattern_hours h
        WHERE h.pattern_id = OLD.pattern_id AND h.level = OLD.level AND h.source = OLD.source
            AND h.category = OLD.category)
    WHERE pattern_id = OLD.pattern_id AND level = OLD.level AND source = OLD.source AND category = OLD.category
        AND (first_seen >= OLD.first_seen OR last_seen <= OLD.last_seen);
END;

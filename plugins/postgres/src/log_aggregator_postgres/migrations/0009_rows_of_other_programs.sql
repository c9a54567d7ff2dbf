-- The writer notes by itself what it adds to `pattern_hours`, in the transaction of the flush, and says so by the setting
-- `log_aggregator.notes_hours`. Triggers note what anybody else changes, row by row: triggers by statement would copy each
-- row of the writer, metadata and all, twice. A row that somebody else changed gets another revision, so that no writer
-- takes it for one that is as it left it.
CREATE OR REPLACE FUNCTION log_aggregator_note_row() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    is_grown BOOLEAN := false;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        is_grown := NEW.pattern_id = OLD.pattern_id
            AND log_aggregator_hour(coalesce(NEW.bucket, NEW.last_seen, NEW.first_seen, now()))
                = log_aggregator_hour(coalesce(OLD.bucket, OLD.last_seen, OLD.first_seen, now()))
            AND coalesce(NEW.level, '') = coalesce(OLD.level, '') AND coalesce(NEW.source, '') = coalesce(OLD.source, '')
            AND coalesce(NEW.category, '') = coalesce(OLD.category, '')
            AND coalesce(NEW.first_seen, NEW.last_seen, NEW.bucket) <= coalesce(OLD.first_seen, OLD.last_seen, OLD.bucket)
            AND coalesce(NEW.last_seen, NEW.first_seen, NEW.bucket) >= coalesce(OLD.last_seen, OLD.first_seen, OLD.bucket);
        is_grown := coalesce(is_grown, false);
        IF is_grown AND coalesce(NEW.count, 1) = coalesce(OLD.count, 1) AND NEW.first_seen = OLD.first_seen
            AND NEW.last_seen = OLD.last_seen THEN
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' AND NOT is_grown AND OLD.pattern_id IS NOT NULL THEN
        INSERT INTO pattern_hours_fresh VALUES (
            OLD.pattern_id, log_aggregator_hour(coalesce(OLD.bucket, OLD.last_seen, OLD.first_seen, now())),
            coalesce(OLD.level, ''), coalesce(OLD.source, ''), coalesce(OLD.category, ''), -coalesce(OLD.count, 1),
            NULL, NULL, true, NULL);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.pattern_id IS NOT NULL THEN
        INSERT INTO pattern_hours_fresh VALUES (
            NEW.pattern_id, log_aggregator_hour(coalesce(NEW.bucket, NEW.last_seen, NEW.first_seen, now())),
            coalesce(NEW.level, ''), coalesce(NEW.source, ''), coalesce(NEW.category, ''),
            coalesce(NEW.count, 1) - CASE WHEN is_grown THEN coalesce(OLD.count, 1) ELSE 0 END,
            coalesce(NEW.first_seen, NEW.last_seen, NEW.bucket), coalesce(NEW.last_seen, NEW.first_seen, NEW.bucket),
            false, CASE WHEN NOT is_grown THEN NEW.message_pattern END);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION log_aggregator_revise_row() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision IS NOT DISTINCT FROM OLD.revision THEN
        NEW.revision := floor(random() * (2::float8 ^ 52))::bigint + 1;
    END IF;
    RETURN NEW;
END $$;

LOCK TABLE aggregated_logs IN SHARE ROW EXCLUSIVE MODE;
DROP TRIGGER IF EXISTS log_aggregator_added ON aggregated_logs;
DROP TRIGGER IF EXISTS log_aggregator_changed ON aggregated_logs;
DROP TRIGGER IF EXISTS log_aggregator_deleted ON aggregated_logs;
DROP TRIGGER IF EXISTS log_aggregator_noted ON aggregated_logs;
DROP TRIGGER IF EXISTS log_aggregator_revised ON aggregated_logs;
CREATE TRIGGER log_aggregator_noted AFTER INSERT OR UPDATE OR DELETE ON aggregated_logs
    FOR EACH ROW WHEN (current_setting('log_aggregator.notes_hours', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION log_aggregator_note_row();
CREATE TRIGGER log_aggregator_revised BEFORE UPDATE ON aggregated_logs
    FOR EACH ROW WHEN (current_setting('log_aggregator.notes_hours', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION log_aggregator_revise_row();

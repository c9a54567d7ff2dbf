-- What happened at a time, such as a deployment.
CREATE TABLE IF NOT EXISTS log_marks (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL,
    title TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    made_by TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS log_marks_at ON log_marks(at);

-- What people said of a pattern; its rows may have moved to another id since, see pattern_aliases.
CREATE TABLE IF NOT EXISTS log_triage (
    pattern_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    owner TEXT NOT NULL,
    muted_until TIMESTAMPTZ,
    mute_times DOUBLE PRECISION,
    mute_rate DOUBLE PRECISION,
    resolved_at TIMESTAMPTZ,
    returned_at TIMESTAMPTZ,
    changed_at TIMESTAMPTZ NOT NULL,
    changed_by TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS log_triage_history (
    id BIGSERIAL PRIMARY KEY,
    pattern_id TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    made_by TEXT NOT NULL,
    change TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS log_triage_history_pattern_id ON log_triage_history(pattern_id);

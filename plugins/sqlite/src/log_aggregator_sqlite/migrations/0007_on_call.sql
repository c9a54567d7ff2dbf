-- What happened at a time, such as a deployment.
CREATE TABLE log_marks (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL,
    title TEXT NOT NULL,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    made_by TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX log_marks_at ON log_marks(at);

-- What people said of a pattern; its rows may have moved to another id since, see pattern_aliases.
CREATE TABLE log_triage (
    pattern_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    owner TEXT NOT NULL,
    muted_until INTEGER,
    mute_times REAL,
    mute_rate REAL,
    resolved_at INTEGER,
    returned_at INTEGER,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE log_triage_history (
    id INTEGER PRIMARY KEY,
    pattern_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    change TEXT NOT NULL                -- JSON: the changed fields
);
CREATE INDEX log_triage_history_pattern_id ON log_triage_history(pattern_id);

-- Version 10.
-- Class cases: tickets of one category that come again at one place.
CREATE TABLE class_case (
    no         INTEGER PRIMARY KEY,
    category   TEXT NOT NULL,
    grid       TEXT,
    place_name TEXT,
    lon        REAL,
    lat        REAL,
    stage      TEXT NOT NULL,           -- found, confirmed, closed, withdrawn
    opened_ms  INTEGER NOT NULL,
    ended_ms   INTEGER,
    n_tickets  INTEGER NOT NULL,
    n_journal  INTEGER NOT NULL
);
CREATE INDEX class_case_open ON class_case (no) WHERE ended_ms IS NULL;

CREATE TABLE class_member (
    ticket INTEGER PRIMARY KEY,
    class  INTEGER NOT NULL
);
CREATE INDEX class_member_by_class ON class_member (class);

CREATE TABLE class_journal (
    class INTEGER NOT NULL,
    no    INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    who   TEXT NOT NULL,
    what  TEXT NOT NULL,
    note  TEXT NOT NULL,
    PRIMARY KEY (class, no)
) WITHOUT ROWID;

CREATE INDEX ticket_by_time ON ticket (opened_ms);
CREATE INDEX ticket_by_category ON ticket (category, opened_ms);

-- What tickets went through: a row for each stage that one left. Scores are counted from these; what was left before this
-- version is not in them.
CREATE TABLE passage (
    ticket       INTEGER NOT NULL,
    no           INTEGER NOT NULL,      -- of the journal entry
    from_stage   TEXT NOT NULL,
    to_stage     TEXT NOT NULL,
    at_ms        INTEGER NOT NULL,
    due_ms       INTEGER,               -- when the stage that was left was due; NULL where it has no limit
    whole_due_ms INTEGER NOT NULL,
    who          TEXT NOT NULL,
    unit         TEXT,
    PRIMARY KEY (ticket, no)
) WITHOUT ROWID;
CREATE INDEX passage_by_time ON passage (at_ms);
CREATE INDEX passage_by_due ON passage (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX ticket_by_due ON ticket (due_ms);

-- Version 1. Times are milliseconds since the Unix epoch, UTC, unless a column says otherwise.
CREATE TABLE watch_state (
    rule   TEXT NOT NULL,
    source TEXT NOT NULL,
    state  TEXT NOT NULL,               -- JSON of the detector's own state
    PRIMARY KEY (rule, source)
) WITHOUT ROWID;

CREATE TABLE alert (
    id              TEXT PRIMARY KEY,
    rule            TEXT NOT NULL,
    source          TEXT NOT NULL,
    fence           TEXT,
    name            TEXT NOT NULL,
    severity        TEXT NOT NULL,
    category        TEXT NOT NULL,
    since_at_ms     INTEGER NOT NULL,   -- device time
    opened_ms       INTEGER NOT NULL,
    cleared_ms      INTEGER,
    cleared_why     TEXT,
    place_name      TEXT,
    lon             REAL,
    lat             REAL,
    why             TEXT NOT NULL,
    figures         TEXT NOT NULL,      -- JSON array of {name, value, unit}
    evidence_file   TEXT,               -- below the folder evidence/
    evidence_sha256 TEXT
) WITHOUT ROWID;
-- One open alert per key, whatever the code above does.
CREATE UNIQUE INDEX alert_open ON alert (rule, source, ifnull(fence, '')) WHERE cleared_ms IS NULL;
CREATE INDEX alert_by_time ON alert (opened_ms);

CREATE TABLE ticket (
    no            INTEGER PRIMARY KEY,
    alert         TEXT NOT NULL,
    rule          TEXT NOT NULL,
    source        TEXT NOT NULL,
    fence         TEXT,
    title         TEXT NOT NULL,
    why           TEXT NOT NULL,
    severity      TEXT NOT NULL,
    category      TEXT NOT NULL,
    place_name    TEXT,
    lon           REAL,
    lat           REAL,
    stage         TEXT NOT NULL,
    unit          TEXT,
    opened_ms     INTEGER NOT NULL,
    due_ms        INTEGER NOT NULL,
    closed_ms     INTEGER,
    alert_cleared INTEGER NOT NULL,
    n_journal     INTEGER NOT NULL
);
CREATE INDEX ticket_open ON ticket (no) WHERE stage != 'closed';

CREATE TABLE journal (
    seq    INTEGER PRIMARY KEY,         -- order of commits over all tickets: position in the live stream
    ticket INTEGER NOT NULL,
    no     INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL,
    note   TEXT NOT NULL,
    UNIQUE (ticket, no)
);

CREATE TABLE outbox (
    row        INTEGER PRIMARY KEY AUTOINCREMENT,
    receiver   TEXT NOT NULL,
    key        TEXT NOT NULL,           -- idempotency key
    kind       TEXT NOT NULL,
    data       TEXT NOT NULL,           -- JSON
    created_ms INTEGER NOT NULL,
    next_ms    INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    failed     INTEGER NOT NULL DEFAULT 0,
    error      TEXT
);
CREATE INDEX outbox_due ON outbox (receiver, row) WHERE failed = 0;

CREATE TABLE spool (
    row     INTEGER PRIMARY KEY AUTOINCREMENT,
    n_lines INTEGER NOT NULL,           -- before the text, so that counting reads no text
    lines   TEXT NOT NULL               -- line protocol of one batch
);

-- What was committed of a broker's unacknowledged window: packet ids and payload hashes, to know redeliveries.
CREATE TABLE seen (
    broker TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    marks  BLOB NOT NULL,               -- 10 bytes each: packet id, hash of topic and payload
    PRIMARY KEY (broker, seq)
) WITHOUT ROWID;

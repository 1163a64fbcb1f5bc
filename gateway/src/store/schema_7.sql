-- Version 7.
-- Evidence: a row for each picture or clip that an alert has, had, or ought to have.
CREATE TABLE evidence (
    alert     TEXT NOT NULL,
    kind      TEXT NOT NULL,            -- snapshot or clip
    no        INTEGER NOT NULL,         -- 0, or the number of an exhibit that has a file of its own
    file      TEXT,                     -- below the folder evidence/; NULL where there is none
    sha256    TEXT,                     -- stays when the file goes
    bytes     INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL,
    missing   TEXT,                     -- why there is no file
    PRIMARY KEY (alert, kind, no)
) WITHOUT ROWID;
CREATE INDEX evidence_by_age ON evidence (stored_ms) WHERE file IS NOT NULL;

-- Kept by the triggers, so that whoever makes room need not add up all rows.
CREATE TABLE evidence_used (
    kind  TEXT PRIMARY KEY,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO evidence_used VALUES ('snapshot', 0, 0), ('clip', 0, 0);
CREATE TRIGGER evidence_stored AFTER INSERT ON evidence WHEN new.file IS NOT NULL BEGIN
    UPDATE evidence_used SET files = files + 1, bytes = bytes + new.bytes WHERE kind = new.kind;
END;
CREATE TRIGGER evidence_changed AFTER UPDATE OF file, bytes ON evidence BEGIN
    UPDATE evidence_used SET
        files = files + (new.file IS NOT NULL) - (old.file IS NOT NULL),
        bytes = bytes + iif(new.file IS NULL, 0, new.bytes) - iif(old.file IS NULL, 0, old.bytes)
    WHERE kind = new.kind;
END;

-- How large the files of older versions are is seen at the next start.
INSERT INTO evidence (alert, kind, no, file, sha256, bytes, stored_ms)
    SELECT id, 'snapshot', 0, evidence_file, evidence_sha256, 0, opened_ms FROM alert WHERE evidence_file IS NOT NULL;
INSERT INTO evidence (alert, kind, no, file, sha256, bytes, stored_ms)
    SELECT alert, 'snapshot', no, file, sha256, 0, at_ms FROM exhibit WHERE file != alert || '.jpg';
ALTER TABLE alert DROP COLUMN evidence_file;
ALTER TABLE alert DROP COLUMN evidence_sha256;

-- Alerts whose evidence stays whatever its age and the room there is.
CREATE TABLE hold (
    alert   TEXT PRIMARY KEY,
    who     TEXT NOT NULL,
    reason  TEXT NOT NULL,
    held_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Who looked at evidence, held it or let it go. Never evicted.
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms  INTEGER NOT NULL,
    alert  TEXT NOT NULL,
    what   TEXT NOT NULL,
    who    TEXT NOT NULL,               -- as they say; empty where they do not
    peer   TEXT NOT NULL,               -- address that asked; empty where unknown
    reason TEXT NOT NULL
);
CREATE INDEX audit_by_alert ON audit (alert, seq);

-- What the size gate of a camera has earned: how well the sizes of its frames tell of movement.
CREATE TABLE gate (
    source TEXT PRIMARY KEY,
    url    TEXT NOT NULL,               -- another stream has to earn its own
    earned TEXT NOT NULL                -- JSON
) WITHOUT ROWID;

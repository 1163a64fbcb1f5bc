-- Version 5.
-- Pictures beside an alert's snapshot.
CREATE TABLE exhibit (
    alert  TEXT NOT NULL,
    no     INTEGER NOT NULL,             -- from 1, in the order of commits
    role   TEXT NOT NULL,                -- before, at, after, visible
    source TEXT NOT NULL,
    at_ms  INTEGER NOT NULL,             -- device time
    file   TEXT NOT NULL,                -- below the folder evidence/; the snapshot's own where it is that
    sha256 TEXT NOT NULL,
    PRIMARY KEY (alert, no)
) WITHOUT ROWID;

-- How likely it is that there is something, 0..1, and why; NULL where nobody was asked.
ALTER TABLE alert ADD COLUMN confidence REAL;
ALTER TABLE alert ADD COLUMN confidence_why TEXT;
ALTER TABLE ticket ADD COLUMN confidence REAL;
ALTER TABLE ticket ADD COLUMN confidence_why TEXT;

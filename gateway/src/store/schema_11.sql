-- Version 8.
-- Whose ground a ticket may be on as well, and how often tickets were handed over which border.
ALTER TABLE ticket ADD COLUMN beside TEXT NOT NULL DEFAULT '[]';      -- JSON array of centres
ALTER TABLE ticket ADD COLUMN handed_over INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN officer TEXT;
ALTER TABLE ticket ADD COLUMN lease_ms INTEGER;                       -- until when the officer has to sign
ALTER TABLE ticket ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
CREATE TABLE border (
    giver      TEXT NOT NULL,
    taker      TEXT NOT NULL,
    n_tickets  INTEGER NOT NULL,
    PRIMARY KEY (giver, taker)
) WITHOUT ROWID;

-- Where officers were while they were on duty.
CREATE TABLE fix (
    officer    TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,        -- device time
    lon        REAL NOT NULL,
    lat        REAL NOT NULL,
    accuracy_m REAL,
    PRIMARY KEY (officer, at_ms)
) WITHOUT ROWID;
CREATE INDEX fix_by_age ON fix (at_ms);

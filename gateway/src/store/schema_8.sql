-- Version 8.
-- Whose ground a ticket may be on as well, and how often tickets were handed over which border.
ALTER TABLE ticket ADD COLUMN beside TEXT NOT NULL DEFAULT '[]';      -- JSON array of centres
ALTER TABLE ticket ADD COLUMN handed_over INTEGER NOT NULL DEFAULT 0;
CREATE TABLE border (
    giver      TEXT NOT NULL,
    taker      TEXT NOT NULL,
    n_tickets  INTEGER NOT NULL,
    PRIMARY KEY (giver, taker)
) WITHOUT ROWID;

-- Version 13.
-- Files that officers add to tickets; each has its row of evidence under the name of its ticket, 'T-5'.
CREATE TABLE attachment (
    ticket INTEGER NOT NULL,
    no     INTEGER NOT NULL,            -- of the journal entry that tells of it
    kind   TEXT NOT NULL,               -- before, after, photo, voice, other
    media  TEXT NOT NULL,               -- media type, by its first bytes
    who    TEXT NOT NULL,
    at_ms  INTEGER NOT NULL,            -- when it was taken, as the sender says
    PRIMARY KEY (ticket, no)
) WITHOUT ROWID;
INSERT INTO evidence_used VALUES ('attachment', 0, 0);

-- What was done under a sender's own name of it, so that it is not done again when it is asked again.
CREATE TABLE deed (
    who     TEXT NOT NULL,
    key     TEXT NOT NULL,
    digest  TEXT NOT NULL,              -- SHA-256 of what was asked
    outcome TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (who, key)
) WITHOUT ROWID;
CREATE INDEX deed_by_age ON deed (at_ms);

-- What officers last said of being on duty.
CREATE TABLE duty (
    officer TEXT PRIMARY KEY,
    is_on   INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL
) WITHOUT ROWID;

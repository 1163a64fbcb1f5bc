-- Version 9.
-- Who is called about a ticket until somebody acknowledges it; NULL where nobody is.
ALTER TABLE ticket ADD COLUMN call_escalation TEXT;
ALTER TABLE ticket ADD COLUMN call_step INTEGER;                      -- from 0
ALTER TABLE ticket ADD COLUMN call_since_ms INTEGER;                  -- when that step began
ALTER TABLE ticket ADD COLUMN call_next_ms INTEGER;                   -- when something is next to be done
ALTER TABLE ticket ADD COLUMN call_n_rung INTEGER;                    -- in all steps so far

-- Private matters: nobody but those who work on them is told.
ALTER TABLE ticket ADD COLUMN is_private INTEGER NOT NULL DEFAULT 0;

-- What was reported from outside: told again, it is the same ticket.
CREATE TABLE report (
    sender  TEXT NOT NULL,
    key     TEXT NOT NULL,              -- the sender's own name of it
    ticket  INTEGER NOT NULL,
    told_ms INTEGER NOT NULL,
    PRIMARY KEY (sender, key)
) WITHOUT ROWID;
CREATE INDEX report_by_time ON report (told_ms);

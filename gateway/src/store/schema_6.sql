-- Version 6.
-- The loop with its stages, clocks, centres and counts. What was resolved had been fed back and waited for somebody to look;
-- what was closed takes no move any more. Clocks go on as they ran: day and night, until the time that was promised.
DROP INDEX ticket_open;
ALTER TABLE ticket ADD COLUMN standing INTEGER NOT NULL DEFAULT 2;    -- 0 ended, 1 settled, 2 open
ALTER TABLE ticket ADD COLUMN held TEXT;                              -- stage in which it goes on when it is resumed
ALTER TABLE ticket ADD COLUMN is_emergency INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN centre TEXT NOT NULL DEFAULT '';
ALTER TABLE ticket ADD COLUMN lead TEXT;
ALTER TABLE ticket ADD COLUMN handlers TEXT NOT NULL DEFAULT '[]';    -- JSON array
ALTER TABLE ticket ADD COLUMN whole_runs TEXT NOT NULL DEFAULT 'always';
ALTER TABLE ticket ADD COLUMN whole_budget_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN whole_yellow_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN whole_left_ms INTEGER;                  -- while it stands
ALTER TABLE ticket ADD COLUMN whole_n_told INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN step_runs TEXT;                         -- NULL where the stage has no limit
ALTER TABLE ticket ADD COLUMN step_budget_ms INTEGER;
ALTER TABLE ticket ADD COLUMN step_yellow_ms INTEGER;
ALTER TABLE ticket ADD COLUMN step_due_ms INTEGER;
ALTER TABLE ticket ADD COLUMN step_left_ms INTEGER;
ALTER TABLE ticket ADD COLUMN step_n_told INTEGER;
ALTER TABLE ticket ADD COLUMN extension_who TEXT;
ALTER TABLE ticket ADD COLUMN extension_limit TEXT;
ALTER TABLE ticket ADD COLUMN into_ticket INTEGER;
ALTER TABLE ticket ADD COLUMN n_alerts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE ticket ADD COLUMN n_alerts_on INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN storm TEXT;                             -- on, over; NULL where it is none
ALTER TABLE ticket ADD COLUMN returned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN reassigned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN disputed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN extended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN suspended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN reworked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN supervised INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN escalated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ticket ADD COLUMN score INTEGER;
UPDATE ticket SET n_alerts_on = 1 - alert_cleared, whole_budget_ms = due_ms - opened_ms,
    whole_yellow_ms = due_ms - (due_ms - opened_ms) / 4,
    standing = iif(stage = 'closed', 0, 2),
    stage = CASE stage WHEN 'resolved' THEN 'fed-back' WHEN 'closed' THEN 'archived' ELSE stage END;
ALTER TABLE ticket DROP COLUMN alert_cleared;
CREATE INDEX ticket_open ON ticket (no) WHERE standing = 2;
CREATE INDEX ticket_live ON ticket (no) WHERE standing > 0;
CREATE INDEX ticket_closed ON ticket (closed_ms) WHERE closed_ms IS NOT NULL;

-- The alerts of each ticket.
CREATE TABLE member (
    alert  TEXT PRIMARY KEY,
    ticket INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX member_by_ticket ON member (ticket);
INSERT OR IGNORE INTO member (alert, ticket) SELECT alert, no FROM ticket;

-- Alerts that are on and make no ticket for now.
CREATE TABLE withheld (
    alert      TEXT PRIMARY KEY,
    muted_by   TEXT NOT NULL            -- the silence, or the alert, that mutes it
) WITHOUT ROWID;

CREATE TABLE silence (
    no         INTEGER PRIMARY KEY,
    rule       TEXT,                    -- patterns; NULL is all
    source     TEXT,
    category   TEXT,
    who        TEXT NOT NULL,
    reason     TEXT NOT NULL,
    since_ms   INTEGER NOT NULL,
    until_ms   INTEGER NOT NULL,
    ended_by   TEXT,
    ended_ms   INTEGER,
    n_withheld INTEGER NOT NULL
);
CREATE INDEX silence_on ON silence (no) WHERE ended_ms IS NULL;

-- What came of findings that somebody looked at, by rule.
CREATE TABLE finding (
    rule        TEXT PRIMARY KEY,
    n_confirmed INTEGER NOT NULL,
    n_rejected  INTEGER NOT NULL
) WITHOUT ROWID;

-- Version 11.
-- Work orders, and who ended or changed them. An order that is changed is ended, and its new form is a row of its own:
-- nothing is overwritten but the counter.
CREATE TABLE work_order (
    no         INTEGER PRIMARY KEY,
    id         TEXT NOT NULL,           -- as those call it who gave it
    lon        REAL NOT NULL,           -- WGS-84
    lat        REAL NOT NULL,
    from_ms    INTEGER NOT NULL,
    until_ms   INTEGER NOT NULL,
    who        TEXT NOT NULL,
    reason     TEXT NOT NULL,
    entered_ms INTEGER NOT NULL,
    ended_by   TEXT,
    ended_ms   INTEGER,
    n_withheld INTEGER NOT NULL
);
CREATE INDEX work_order_on ON work_order (no) WHERE ended_ms IS NULL;

-- Looks through visible cameras that have no answer yet.
CREATE TABLE look (
    alert  TEXT NOT NULL,
    camera TEXT NOT NULL,
    PRIMARY KEY (alert, camera)
) WITHOUT ROWID;

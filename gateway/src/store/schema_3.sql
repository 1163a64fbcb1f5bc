-- Version 3.
-- Where a row ends in all that was ever spooled: how much waits between any two rows is known without reading it. Rows come
-- at the end and go at the beginning.
CREATE TABLE spool_3 (
    row       INTEGER PRIMARY KEY AUTOINCREMENT,
    n_lines   INTEGER NOT NULL,
    end_lines INTEGER NOT NULL,
    end_bytes INTEGER NOT NULL,
    lines     TEXT NOT NULL             -- last, so that the others are read without it
);
INSERT INTO spool_3 (row, n_lines, end_lines, end_bytes, lines)
    SELECT row, n_lines, sum(n_lines) OVER (ORDER BY row), sum(octet_length(lines)) OVER (ORDER BY row), lines FROM spool;
DROP TABLE spool;
ALTER TABLE spool_3 RENAME TO spool;

-- At most one row: what the full spool evicted since the last such loss was over.
CREATE TABLE spool_loss (
    n_lines  INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    last_row INTEGER NOT NULL           -- the spool's last row when a reading was last lost: it is over when that is sent
);

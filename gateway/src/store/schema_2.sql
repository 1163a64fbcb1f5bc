-- Version 2.
-- What rules remembered of readings and fixes since their states were written.
CREATE TABLE remembered (
    seq     INTEGER PRIMARY KEY,        -- number of the first entry
    entries BLOB NOT NULL               -- of one batch
);

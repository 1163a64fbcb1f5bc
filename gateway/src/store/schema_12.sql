-- Version 12.
-- Suspended or parked for what nobody could help.
ALTER TABLE ticket ADD COLUMN is_force_majeure INTEGER NOT NULL DEFAULT 0;
ALTER TABLE passage ADD COLUMN is_force_majeure INTEGER NOT NULL DEFAULT 0;

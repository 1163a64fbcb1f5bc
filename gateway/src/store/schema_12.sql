-- Version 12.
-- Suspended or parked for what nobody could help.
ALTER TABLE ticket ADD COLUMN is_force_majeure INTEGER NOT NULL DEFAULT 0;
ALTER TABLE passage ADD COLUMN is_force_majeure INTEGER NOT NULL DEFAULT 0;
-- How far off a point may be, as whoever told it says.
ALTER TABLE ticket ADD COLUMN accuracy_m REAL;
ALTER TABLE alert ADD COLUMN accuracy_m REAL;

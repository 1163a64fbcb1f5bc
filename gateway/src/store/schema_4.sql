-- Version 4.
-- Where a camera sees it, beside the point: JSON of bearing, distance, error, grids; NULL where no camera looked.
ALTER TABLE alert ADD COLUMN sight TEXT;
ALTER TABLE ticket ADD COLUMN sight TEXT;

-- Version 9.
-- Who is called about a ticket until somebody acknowledges it; NULL where nobody is.
ALTER TABLE ticket ADD COLUMN call_escalation TEXT;
ALTER TABLE ticket ADD COLUMN call_step INTEGER;                      -- from 0
ALTER TABLE ticket ADD COLUMN call_since_ms INTEGER;                  -- when that step began
ALTER TABLE ticket ADD COLUMN call_next_ms INTEGER;                   -- when something is next to be done
ALTER TABLE ticket ADD COLUMN call_n_rung INTEGER;                    -- in all steps so far

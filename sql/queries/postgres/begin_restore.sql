-- While this table is there, nobody takes the database for a whole one.
CREATE TABLE IF NOT EXISTS public.eventjobs_restoring ()

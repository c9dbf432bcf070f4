-- Lets loads into the table $1 (text: schema and name) take turns, also while the table is not there yet.
SELECT pg_advisory_xact_lock(hashtextextended('eventjobs load ' || $1, 0))

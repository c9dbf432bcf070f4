SELECT pg_advisory_lock(hashtextextended('eventjobs.migrations', 0))

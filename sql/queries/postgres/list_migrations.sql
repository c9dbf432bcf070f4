SELECT number, name, checksum FROM eventjobs_migrations ORDER BY number

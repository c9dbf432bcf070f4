SELECT position, chain, at FROM events ORDER BY position DESC LIMIT 1

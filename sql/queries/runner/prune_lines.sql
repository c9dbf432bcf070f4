-- $1 before, $2 how many at most
DELETE FROM log_lines
WHERE ctid = ANY (ARRAY(SELECT ctid FROM log_lines WHERE at < $1 LIMIT $2))

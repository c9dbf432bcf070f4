-- $1 until, $2 limit
SELECT due_at, workspace, kind, owner_id
FROM view_timers_1
WHERE due_at <= $1 AND NOT parked
ORDER BY due_at
LIMIT $2

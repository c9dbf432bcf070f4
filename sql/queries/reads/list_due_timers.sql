SELECT due_at, workspace, owner_kind, owner_id
FROM public.view_timers_1
WHERE due_at <= $1
ORDER BY due_at
LIMIT $2
